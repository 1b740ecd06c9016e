import type { DeviceId, DeviceReading, Reservation } from '../vocabulary.ts';

/**
 * Free memory just before an unload. `unneeded`: the process had gone by itself or had never been ready, so there was
 * nothing to measure; `unknown`: the probe failed, which is not the same as zero.
 */
export type MemoryBaseline = readonly DeviceReading[] | 'unneeded' | 'unknown';

/**
 * The share of the reservation that has to come back before memory counts as recovered. Ollama uses 75 %: drivers keep
 * some of it, and predictions are rough.
 */
export const RECOVERED_SHARE = 0.75;

const FIRST_PAUSE_MS = 20;
const GROWTH = 1.25;

/**
 * How long to wait, in ms, before a device is read again that has been read so many times since the process has gone. No driver tells by itself
 * that memory is back, so it is noticed late by a quarter of the time that it takes at most, and never by more than `mostMs`.
 */
export const recoveryPauseMs = (readings: number, mostMs: number): number =>
  Math.min(mostMs, FIRST_PAUSE_MS * GROWTH ** Math.max(0, readings - 1));

const freeOf = (readings: readonly DeviceReading[], id: DeviceId): number | null =>
  readings.find((reading) => reading.id === id)?.freeBytes ?? null;

/** Less than this, in bytes, is noise between two readings. */
const NOISE_BYTES = 16 * 1024 ** 2;

/** Whether no more memory has come back on any of these devices between two readings. What could not be read is unknown. */
export const hasComeToRest = (
  before: readonly DeviceReading[] | null,
  after: readonly DeviceReading[],
  laggingDevices: readonly DeviceId[],
): boolean =>
  before !== null &&
  laggingDevices.every((id) => {
    const [was, is] = [freeOf(before, id), freeOf(after, id)];
    return was !== null && is !== null && is - was < NOISE_BYTES;
  });

/**
 * Whether every lagging device of a runner shows its memory as free again. What could not be read is unknown, so not
 * recovered. Where no baseline was needed one good reading is enough: what a dead process held is free already.
 */
export function hasRecovered(
  baseline: MemoryBaseline,
  readings: readonly DeviceReading[],
  reservation: Reservation,
  laggingDevices: readonly DeviceId[],
): boolean {
  return laggingDevices.every((id) => {
    const now = freeOf(readings, id);
    if (now === null) return false;
    if (baseline === 'unneeded') return true;
    const before = baseline === 'unknown' ? null : freeOf(baseline, id);
    return before !== null && now - before >= RECOVERED_SHARE * (reservation[id] ?? 0);
  });
}
