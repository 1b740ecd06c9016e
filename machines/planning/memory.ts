import type { DeviceId, ModelSpec, Reservation } from '../vocabulary.ts';
import { overheadOn } from './overhead.ts';
import { saidShares } from './said-shares.ts';
import { bytesOn, cpuOf, mainMemoryOf } from './shared-memory.ts';
import type { Claim, DeviceView, View } from './view.ts';

export { overheadOn };

/** The most that Corral could ever use of a device: the numbers by which a model can never fit. */
export const capacityOf = (device: DeviceView): number => Math.min(device.limitBytes, device.totalBytes);

/** Readings that a device may be missing from before it counts as gone: one that leaves it out may be a mistake. */
const MISSED_BEFORE_GONE = 3;

/** Whether a device is there no more, as after a driver has lost it. Until it is seen again nothing is started on it. */
export const isGone = ({ missedReadings }: DeviceView): boolean => missedReadings >= MISSED_BEFORE_GONE;

/** What Corral may use now: other programs' memory is not ours to plan with. */
export const usableOf = (device: DeviceView): number =>
  Math.min(device.limitBytes, device.totalBytes - device.othersBytes);

/** The need of a model on a device that has it alone; on the CPU with all that it wants of main memory. */
export function needOn(spec: ModelSpec, device: DeviceView, view: View): number {
  const needBytes = spec.needBytes + (device.kind === 'cpu' ? hostBytesOf(spec) : 0);
  if (view.getsDeviceAlone(spec)) return Math.max(needBytes, unpinnedOn(device, spec, view));
  return needBytes + overheadOn(spec, device, view);
}

/** What a model takes of main memory wherever it runs, in whole bytes. */
export const hostBytesOf = ({ hostBytes = 0 }: Pick<ModelSpec, 'hostBytes'>): number => Math.ceil(hostBytes);

/** What pinned models leave of a device, other programs' memory not counted. */
export function unpinnedOn(device: DeviceView, spec: ModelSpec, view: View): number {
  let room = usableOf(device);
  for (const runner of view.runners.values())
    if (runner.pinned && runner.spec.name !== spec.name)
      room -= bytesOn(runner.reservation, device, view.devices);
  const main = device.sharesMainMemory ? mainMemoryOf([device], view) : undefined;
  return Math.max(0, main ? Math.min(room, unpinnedOn(main, spec, view)) : room);
}

/**
 * Free this moment for somebody who has no claim: what has come back for a claim already is earmarked for it.
 * May be negative.
 */
export function freeNow(view: View, device: DeviceView, forClass: string): number {
  let earmarked = 0;
  for (const [classKey, claim] of view.claims) {
    if (classKey === forClass) continue;
    const claimed = bytesOn(claim.reservation, device, view.devices);
    earmarked += Math.max(0, claimed - stillHeld(view, claim, device));
  }
  return usableOf(device) - device.reservedBytes - earmarked;
}

/** Free once everybody who has to go has gone, and every claim has been served. May be negative. */
export const freeEventually = (device: DeviceView): number =>
  usableOf(device) - device.reservedBytes + device.returningBytes - device.claimedBytes;

function fillUp(
  spec: ModelSpec,
  gpus: readonly DeviceView[],
  cpu: DeviceView,
  roomOf: (device: DeviceView) => number,
  view: View,
): Reservation {
  const reservation: Record<DeviceId, number> = {};
  let restBytes = Math.ceil(spec.needBytes);
  for (const gpu of gpus) {
    const overhead = overheadOn(spec, gpu, view);
    const layers = Math.min(restBytes, Math.max(0, roomOf(gpu) - overhead));
    if (layers === 0) continue;
    reservation[gpu.id] = layers + overhead;
    restBytes -= layers;
  }
  reservation[cpu.id] = restBytes;
  return reservation;
}

function stillHeld(view: View, claim: Claim, device: DeviceView): number {
  let held = 0;
  for (const runnerId of claim.awaits)
    held += bytesOn(view.runners.get(runnerId)?.reservation ?? {}, device, view.devices);
  return held;
}

/**
 * Whether a claim can be served: its room is really free, if need be before all have gone whom it waits for. What it cannot do
 * without is that no other process of its model is left, and that there is one runner less where their number is limited.
 */
export function isClaimReady(view: View, { spec, awaits, reservation }: Claim): boolean {
  const { maxRunners } = view.settings;
  const staying = awaits.flatMap((runnerId) => view.runners.get(runnerId) ?? []);
  if (staying.some((runner) => runner.spec.name === spec.name)) return false;
  if (maxRunners !== null && view.runners.size >= maxRunners) return false;
  if (Object.keys(reservation).some((id) => !view.devices.has(id))) return false;
  return [...view.devices.values()].every((device) => {
    const bytes = bytesOn(reservation, device, view.devices);
    return bytes === 0 || freeNow(view, device, spec.classKey) >= bytes;
  });
}

/**
 * Shares a need over devices in proportion to the room on each, or as arguments of the model say. GPUs before the CPU are filled, and the CPU takes the rest. In whole
 * bytes: sums of them are exact, while of fractions a residue would stay that no unload ever gives back. Main memory holds besides what stays
 * there wherever the layers go.
 */
export function shareOut(
  spec: ModelSpec,
  devices: readonly DeviceView[],
  roomOf: (device: DeviceView) => number,
  view: View,
): Reservation {
  const shares = sharesOf(spec, devices, roomOf, view);
  const hostBytes = hostBytesOf(spec);
  const isCpuAlone = devices.length === 1 && devices[0]?.kind === 'cpu';
  const main = hostBytes === 0 || isCpuAlone ? undefined : cpuOf(view);
  return main ? { ...shares, [main.id]: (shares[main.id] ?? 0) + hostBytes } : shares;
}

function sharesOf(
  spec: ModelSpec,
  devices: readonly DeviceView[],
  roomOf: (device: DeviceView) => number,
  view: View,
): Reservation {
  const [first] = devices;
  const cpu = devices.at(-1);
  if (devices.length === 1 && first) return { [first.id]: Math.ceil(needOn(spec, first, view)) };
  const said = saidShares(spec, devices, view);
  if (said) return said;
  if (cpu?.kind === 'cpu') return fillUp(spec, devices.slice(0, -1), cpu, roomOf, view);
  const rooms = devices.map((device) => Math.max(0, roomOf(device) - overheadOn(spec, device, view)));
  const room = rooms.reduce((sum, bytes) => sum + bytes, 0);
  const reservation: Record<DeviceId, number> = {};
  devices.forEach((device, i) => {
    const share = room > 0 ? (rooms[i] ?? 0) / room : 1 / devices.length;
    // A device without room for anything is left out: there would not even be any for what the runtime itself needs on it.
    if (share === 0) return;
    reservation[device.id] = Math.ceil(spec.needBytes * share) + overheadOn(spec, device, view);
  });
  return reservation;
}
