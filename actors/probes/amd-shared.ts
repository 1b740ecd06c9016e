import type { DeviceReading } from '../../machines/vocabulary.ts';
import type { AmdCard } from './amd.ts';
import { isNear } from './match-devices.ts';

/**
 * Of AMD's GPUs that are part of the processor, those that mostly hold main memory. A part of it is set aside for them at boot (the kernel
 * calls that VRAM; it is no main memory any more), and more of it they may use as they need it (GTT). A runtime lists the one, the
 * other, or the sum. Where most is set aside, the GPU has a memory of its own, as with 96 of 128 GB.
 */
export function withSharedMemory(
  devices: readonly DeviceReading[],
  cards: readonly AmdCard[],
): readonly DeviceReading[] {
  return devices.map((device) =>
    device.kind === 'integrated' && device.sharesMainMemory === undefined && isShared(device, cards)
      ? { ...device, sharesMainMemory: true }
      : device,
  );
}

const isShared = ({ totalBytes }: DeviceReading, cards: readonly AmdCard[]): boolean =>
  cards.some(
    ({ totalBytes: ownBytes, mainMemoryBytes }) =>
      ownBytes < totalBytes / 2 &&
      (isNear(mainMemoryBytes, totalBytes) || isNear(ownBytes + mainMemoryBytes, totalBytes)),
  );
