import type { DeviceId, DeviceReading } from '../../machines/vocabulary.ts';

/** Sizes that different backends tell of the same memory differ by a few per cent. */
const SIZES_DIFFER_BY = 0.1;
/** Backends that reach any maker's cards: the maker's own one is taken before them. */
const GENERAL = ['Vulkan', 'OpenCL', 'WebGPU', 'SYCL'];

/** The most that Corral may use of devices, in bytes. */
export type DeviceLimits = Readonly<Record<DeviceId, number>>;

/** A listing that is left out, and the one that stands for the same card. */
export interface LeftOut {
  readonly id: DeviceId;
  readonly is: DeviceId;
}

/**
 * One card that two backends list is one device. Name and size tell, since a listing has no more; cards of one name count together.
 * The maker's own backend is kept, unless nothing may be used of it: `limits` are the configured ones, in bytes.
 */
export function leftOut(devices: readonly DeviceReading[], limits: DeviceLimits): readonly LeftOut[] {
  const wanted = devices.filter(({ id }) => limits[id] !== 0);
  const ranked = wanted.toSorted((a, b) => rankOf(a) - rankOf(b));
  return devices.flatMap((device) => {
    if (limits[device.id] === 0) return [];
    const before = ranked.slice(0, ranked.indexOf(device));
    const first = before.find((other) => other.library !== device.library && isSameCard(other, device));
    if (first === undefined) return [];
    // Of several equal cards, each listing stands for its own.
    const equals = devices.filter(({ library, name }) => library === first.library && name === first.name);
    const position = devices
      .filter(({ library, name }) => library === device.library && name === device.name)
      .indexOf(device);
    return [{ id: device.id, is: (equals[position] ?? first).id }];
  });
}

const rankOf = ({ library }: DeviceReading): number => GENERAL.indexOf(library);

/** Integrated GPUs have no certain size: backends count more or less of main memory as theirs. */
const isSameCard = (a: DeviceReading, b: DeviceReading): boolean =>
  plain(a.name) === plain(b.name) &&
  ((a.kind === 'integrated' && b.kind === 'integrated') ||
    Math.abs(a.totalBytes - b.totalBytes) <= SIZES_DIFFER_BY * Math.max(a.totalBytes, b.totalBytes));

/** Without the maker and the driver: `NVIDIA GeForce RTX 3090`, `AMD Radeon RX 7900 XTX (RADV NAVI31)`. */
const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/^(nvidia|amd)\s+/, '')
    .replace(/\s*\([^()]*\)$/, '')
    .trim();

/** What is said of a listing that is left out, and how to have it instead. */
export const leftOutText = ({ id, is }: LeftOut): string =>
  `${id} is the same card as ${is}, seen through another backend, and is left out (devices.${is}.memory: 0 takes ${id} instead)`;
