import type { DeviceId, Reservation } from '../vocabulary.ts';
import type { Site } from './placement.ts';
import type { DeviceView, View } from './view.ts';

/**
 * Some GPUs have no memory of their own: what they hold is main memory (integrated ones, Apple's, NVIDIA's GB10). Whatever is booked on them is
 * booked on the CPU as well, so that one account bounds both.
 */
type Devices = ReadonlyMap<DeviceId, Pick<DeviceView, 'id' | 'kind' | 'sharesMainMemory'>>;

/** Whether what is held on one device is held of the other as well. */
export const countsOn = (
  device: Pick<DeviceView, 'id' | 'kind'>,
  held: Pick<DeviceView, 'id' | 'sharesMainMemory'>,
): boolean => device.id === held.id || (device.kind === 'cpu' && held.sharesMainMemory === true);

/** Of a reservation, what it takes of a device, in bytes. */
export function bytesOn(reservation: Reservation, device: DeviceView, devices: Devices): number {
  if (device.kind !== 'cpu') return reservation[device.id] ?? 0;
  let bytes = 0;
  for (const [id, some] of Object.entries(reservation)) {
    const held = devices.get(id);
    if (held ? countsOn(device, held) : id === device.id) bytes += some;
  }
  return bytes;
}

export const cpuOf = (view: Pick<View, 'devices'>): DeviceView | undefined =>
  [...view.devices.values()].find(({ kind }) => kind === 'cpu');

/**
 * Main memory, where a model on this site would take some of it: on a GPU that shares it, as the rest of a partial offload, or because it
 * needs `hostBytes` there in any case.
 */
export function mainMemoryOf(site: Site, view: View, hostBytes = 0): DeviceView | undefined {
  const isTaken = site.some(({ kind, sharesMainMemory }) => kind === 'cpu' || sharesMainMemory === true);
  return isTaken || hostBytes > 0 ? cpuOf(view) : undefined;
}

/** What a site has in all, when each device has `roomOf` it: of main memory no more than there is, whoever shares it. */
export function siteRoom(site: Site, view: View, roomOf: (device: DeviceView) => number): number {
  const room = (devices: Site): number =>
    devices.reduce((sum, device) => sum + Math.max(0, roomOf(device)), 0);
  const main = mainMemoryOf(site, view);
  if (!main) return room(site);
  const isShared = (device: DeviceView): boolean => countsOn(main, device);
  return (
    room(site.filter((device) => !isShared(device))) +
    Math.min(room(site.filter(isShared)), Math.max(0, roomOf(main)))
  );
}
