import type { Device, Runner } from '../../live/picture.ts';

/** A part of a device's bar: where it begins and how long it is, as parts of the whole bar. */
export interface Segment {
  readonly id: string;
  readonly kind: 'runner' | 'claimed' | 'others';
  readonly start: number;
  readonly size: number;
  readonly bytes: number;
  readonly runner: Runner | null;
  /** Of what is reserved for a runner, the part that it is known to hold. */
  readonly held: number;
}

/** A device's memory, laid out along a bar. */
export interface Bar {
  /** What the whole bar stands for. */
  readonly scaleBytes: number;
  /** Where Corral has to stop, as a part of the bar; null when that is its end. */
  readonly limit: number | null;
  readonly segments: readonly Segment[];
  readonly freeBytes: number;
}

/** Below this part of a device, a limit gets the whole bar: on its own scale it would be a sliver. */
const SMALL_LIMIT = 0.5;

/**
 * Lays out a device's memory: its runners, oldest first, then what is promised to models that wait; at the far end what other
 * programs hold. What is reserved may come to more than the bar; then it ends at the bar's end.
 */
export function barOf(device: Device, runners: readonly Runner[]): Bar {
  const limitBytes = Math.min(device.limitBytes, device.totalBytes);
  const isSmall = limitBytes < SMALL_LIMIT * device.totalBytes;
  const scaleBytes = isSmall ? limitBytes : device.totalBytes;
  const usableBytes = Math.min(limitBytes, device.totalBytes - device.othersBytes);
  const othersBytes = isSmall ? limitBytes - usableBytes : device.othersBytes;
  const part = (bytes: number): number => Math.min(1, Math.max(0, bytes / scaleBytes));

  let at = 0;
  const place = (id: string, kind: Segment['kind'], bytes: number, runner: Runner | null = null): Segment => {
    const segment = { id, kind, start: part(at), size: part(bytes), bytes, runner, held: heldPart(runner) };
    at += bytes;
    return segment;
  };
  const segments = runners
    .filter(({ reservedBytes }) => (reservedBytes[device.id] ?? 0) > 0)
    .map((runner) => place(runner.id, 'runner', runner.reservedBytes[device.id] ?? 0, runner));
  // A claim may be for memory that its victims still hold; what is promised beyond that is shown.
  const claimedBytes = Math.min(device.claimedBytes, Math.max(0, usableBytes - at));
  if (claimedBytes > 0) segments.push(place('claimed', 'claimed', claimedBytes));
  const freeBytes = Math.max(0, usableBytes - at);
  if (othersBytes > 0) {
    at = scaleBytes - othersBytes;
    segments.push(place('others', 'others', othersBytes));
  }
  const limit = limitBytes < scaleBytes ? part(limitBytes) : null;
  return { scaleBytes, limit, segments, freeBytes };
}

function heldPart(runner: Runner | null): number {
  if (!runner) return 1;
  if (runner.state === 'loading') return runner.progress ?? 0;
  return runner.measuredBytes === null ? 1 : Math.min(1, runner.measuredBytes / runner.needBytes);
}
