import type { DeviceId, DeviceReading } from '../../machines/vocabulary.ts';

/** A device as a driver shows it; what the driver does not tell is null. */
export interface DriverDevice {
  readonly name: string | null;
  readonly totalBytes: number | null;
}

/** The runtime counts without what the driver keeps for itself: a few per cent. */
const TOTALS_DIFFER_BY = 0.1;

/**
 * Finds the runtime's devices among the driver's. Their orders differ: CUDA puts its fastest GPU first, nvidia-smi goes by bus
 * address, and environment variables may hide some. So name and size decide, and order only among equals; where it
 * cannot be told which of several is meant, none is taken.
 */
export function matchDevices<T extends DriverDevice>(
  devices: readonly DeviceReading[],
  seen: readonly T[],
): ReadonlyMap<DeviceId, T> {
  const fits = devices.map((device) => fitting(device, seen));
  const matches = new Map<DeviceId, T>();
  devices.forEach((device, position) => {
    const mine = fits[position] ?? [];
    const equals = devices.filter((_, other) => isSameList(fits[other] ?? [], mine));
    const match = mine[equals.indexOf(device)];
    if (match !== undefined && mine.length === equals.length) matches.set(device.id, match);
  });
  return matches;
}

function fitting<T extends DriverDevice>(device: DeviceReading, seen: readonly T[]): readonly T[] {
  const sized = seen.filter(({ totalBytes }) => totalBytes === null || isNear(totalBytes, device.totalBytes));
  const named = sized.filter(({ name }) => name !== null && isSameName(name, device.name));
  return named.length > 0 ? named : sized.filter(({ name }) => name === null);
}

/** As far as two sources agree on a size. */
export const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= TOTALS_DIFFER_BY * Math.max(a, b);

const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);

/** Old drivers leave the maker's name out. */
const isSameName = (a: string, b: string): boolean => plain(a) === plain(b);
const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/^nvidia\s+/, '')
    .trim();
