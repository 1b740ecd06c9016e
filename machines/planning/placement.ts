import { formatBytes, type ModelSpec } from '../vocabulary.ts';
import type { Failure } from '../failures.ts';
import { capacityOf, hostBytesOf, isGone, needOn, overheadOn, unpinnedOn } from './memory.ts';
import { areSaid, saidShares, saysSplit } from './said-shares.ts';
import { cpuOf, mainMemoryOf, siteRoom } from './shared-memory.ts';
import type { DeviceView, View } from './view.ts';

/** Devices that would hold a model together; one device in most cases. GPUs with the CPU after them: partial offload. */
export type Site = readonly DeviceView[];

export type Sites =
  | { readonly sites: readonly Site[] }
  | { readonly failure: Failure }
  /** Only devices that are paused now could hold it. */
  | { readonly paused: readonly DeviceView[] };

/**
 * Where a model may be put, the better places first: single devices before splits, discrete before integrated, the
 * order of its own device list, then the roomier one. Devices of different libraries are never mixed. Only sites that
 * could hold it when empty are listed; where there is none, the failure says why with the numbers. Only what no GPUs can hold goes
 * to them in part, with the rest in main memory, and only what cannot even go there is run on the CPU alone.
 */
export function sitesFor(spec: ModelSpec, view: View): Sites {
  // A class that gets a device alone has needs of its own, for the moment.
  if (view.getsDeviceAlone(spec)) return withoutPaused(findSites(spec, view));
  const known = knownSites.get(spec);
  if (known?.inventory === view.inventory) return withoutPaused(asOfNow(known.sites, view));
  const sites = findSites(spec, view);
  knownSites.set(spec, { inventory: view.inventory, sites });
  return withoutPaused(sites);
}

function withoutPaused(found: Sites): Sites {
  if (!('sites' in found)) return found;
  const paused = new Set(found.sites.flat().filter(({ pause }) => pause !== undefined));
  if (paused.size === 0) return found;
  const sites = found.sites.filter((site) => !site.some((device) => paused.has(device)));
  return sites.length > 0 ? { sites } : { paused: [...paused] };
}

/** Where a model could go depends on what devices there are, and that hardly ever changes. */
const knownSites = new WeakMap<ModelSpec, { readonly inventory: object; readonly sites: Sites }>();

/** The same sites with their devices as they are now. */
const asOfNow = (known: Sites, view: View): Sites =>
  !('sites' in known)
    ? known
    : { sites: known.sites.map((site) => site.map((device) => view.devices.get(device.id) ?? device)) };

function findSites(spec: ModelSpec, view: View): Sites {
  const allowed = allowedDevices(spec, view);
  if (allowed.length === 0) return { failure: nowhere(spec, view) };
  const gpus = allowed.filter((device) => device.kind !== 'cpu');
  const cpus = allowed.filter((device) => device.kind === 'cpu');
  const onGpus = spec.placement === 'cpu-only' ? [] : gpuSites(spec, gpus, view);
  const wholeOnCpu = cpus.filter((device) => couldHold(spec, [device], view)).map((device) => [device]);
  if (onGpus.length > 0)
    return { sites: spec.placement === 'cpu-if-full' ? [...onGpus, ...wholeOnCpu] : onGpus };
  const inPart = offloadSites(spec, gpus, cpus, view);
  if (inPart.length > 0) return { sites: inPart };
  return wholeOnCpu.length > 0 ? { sites: wholeOnCpu } : { failure: tooLarge(spec, allowed, view) };
}

/** Whether GPUs that it may use could hold all that is to be on them. */
export function canBeOnGpus(spec: ModelSpec, view: View): boolean {
  const gpus = allowedDevices(spec, view).filter((device) => device.kind !== 'cpu');
  return gpuSites(spec, gpus, view).length > 0;
}

function allowedDevices(spec: ModelSpec, view: View): DeviceView[] {
  const all = [...view.devices.values()].filter((device) => !isGone(device));
  const kindFits = (device: DeviceView): boolean =>
    spec.placement === 'gpu-only'
      ? device.kind !== 'cpu'
      : spec.placement !== 'cpu-only' || device.kind === 'cpu';
  if (spec.devices === null) return all.filter(kindFits);
  return spec.devices.flatMap((id) => all.filter((device) => device.id === id && kindFits(device)));
}

function gpuSites(spec: ModelSpec, gpus: readonly DeviceView[], view: View): Site[] {
  const listed = spec.devices !== null || saysSplit(spec);
  const ranked = gpus.toSorted(
    (a, b) =>
      Number(a.kind === 'integrated') - Number(b.kind === 'integrated') ||
      (listed ? 0 : capacityOf(b) - capacityOf(a)),
  );
  const libraries = [...new Set(ranked.map((device) => device.library))];
  const splits = libraries.flatMap((library) => {
    const group = ranked.filter((device) => device.library === library && !device.sharesMainMemory);
    return group.slice(1).map((_, i) => group.slice(0, i + 2));
  });
  const singles = ranked.map((device) => [device]);
  const widest = libraries
    .map((library) => ranked.filter((one) => one.library === library && !one.sharesMainMemory))
    .filter((group) => group.length > 1);
  const sites = spec.spread ? [...widest, ...singles] : [...singles, ...splits];
  return sites.filter((site) => areSaid(spec, site) && couldHold(spec, site, view));
}

/** The GPUs of each library, filled up, and main memory for the layers that are left. */
function offloadSites(
  spec: ModelSpec,
  gpus: readonly DeviceView[],
  cpus: readonly DeviceView[],
  view: View,
): Site[] {
  if (spec.launch.layers === undefined || spec.placement === 'gpu-only') return [];
  return [...new Set(gpus.map((device) => device.library))].flatMap((library) => {
    const all = gpus.filter((device) => device.library === library);
    const own = all.filter((device) => !device.sharesMainMemory);
    // Beside a card one that shares main memory is no help: it holds what the CPU would, and is slower than the card.
    const group = own.length > 0 ? own : all;
    return cpus.map((cpu) => [...group, cpu]).filter((site) => couldHold(spec, site, view));
  });
}

/** Whether only a part of a model goes to the GPUs of a site. */
export const isOffload = (site: Site): boolean => site.length > 1 && site.at(-1)?.kind === 'cpu';

/** Where a site wants room made: the GPUs alone, if main memory only takes the rest. */
export const contestedOn = (site: Site): Site => (isOffload(site) ? site.slice(0, -1) : site);

const couldHold = (spec: ModelSpec, site: Site, view: View): boolean =>
  wholeNeed(spec, site, view) <= siteRoom(site, view, capacityOf) && restFits(spec, site, capacityOf, view);

/**
 * Whether there is room for what the sum of the GPUs does not tell: in main memory the rest of a partial offload, and what stays there anyhow;
 * on each GPU its share, where that is said.
 */
export function restFits(
  spec: ModelSpec,
  site: Site,
  roomOf: (device: DeviceView) => number,
  view: View,
): boolean {
  const hostBytes = hostBytesOf(spec);
  const said = saidShares(spec, site, view);
  if (said && site.some((device) => (said[device.id] ?? 0) > roomOf(device))) return false;
  if (isOffload(site)) return wholeNeed(spec, site, view) + hostBytes <= siteRoom(site, view, roomOf);
  const main = site[0]?.kind === 'cpu' || hostBytes === 0 ? undefined : cpuOf(view);
  if (!main) return true;
  if (mainMemoryOf(site, view) === undefined) return hostBytes <= roomOf(main);
  return wholeNeed(spec, site, view) + hostBytes <= siteRoom([...site, main], view, roomOf);
}

/** What a model needs on the devices of a site that others contest, the runtime's own memory on each device included. */
export function siteNeed(spec: ModelSpec, site: Site, view: View): number {
  if (isOffload(site))
    return contestedOn(site).reduce((sum, device) => sum + unpinnedOn(device, spec, view), 0);
  return wholeNeed(spec, site, view);
}

/** What a model needs on a site in all. */
export function wholeNeed(spec: ModelSpec, site: Site, view: View): number {
  const [only] = site;
  if (site.length === 1 && only) return needOn(spec, only, view);
  return spec.needBytes + site.reduce((sum, device) => sum + overheadOn(spec, device, view), 0);
}

function nowhere(spec: ModelSpec, view: View): Failure {
  const devices = [...view.devices.values()];
  const seen = namesOf(devices.filter((device) => !isGone(device))) || 'none';
  const gone = namesOf(devices.filter(isGone));
  const wanted = spec.devices?.join(', ') ?? (spec.placement === 'gpu-only' ? 'a GPU' : 'any device');
  const elsewhere = devices
    .flatMap(({ id, alsoListedAs = [] }) => alsoListedAs.map((other) => ({ id, other })))
    .filter(({ other }) => spec.devices?.includes(other))
    .map(({ id, other }) => ` ${other} is ${id}, listed by another backend too, and is left out.`)
    .join('');
  return {
    code: 'devices_unavailable',
    message: `${spec.name} may only run on ${wanted}; devices seen: ${seen}${gone && `; gone: ${gone}`}.${elsewhere} Check the driver, or change the model's devices or placement.`,
    retryAfterSeconds: 30,
  };
}

const namesOf = (devices: readonly DeviceView[]): string => devices.map(({ id }) => id).join(', ');

function tooLarge(spec: ModelSpec, allowed: readonly DeviceView[], view: View): Failure {
  const need = Math.min(...allowed.map((device) => spec.needBytes + overheadOn(spec, device, view)));
  const rooms = allowed.map((device) => `${device.id} ${formatBytes(capacityOf(device))}`).join(', ');
  const main = cpuOf(view);
  const hostBytes = hostBytesOf(spec);
  const host =
    hostBytes > 0 && main
      ? ` and ${formatBytes(hostBytes)} of main memory (there are ${formatBytes(capacityOf(main))})`
      : '';
  return {
    code: 'does_not_fit',
    message: `${spec.name} needs ${formatBytes(need)}${host} (${spec.needSource}) and can never fit: ${rooms}. Lower its context or slots, take a smaller file, or raise the memory limit.`,
  };
}
