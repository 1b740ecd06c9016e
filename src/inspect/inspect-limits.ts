/** What inspectors may take of the service. */
export interface InspectLimits {
  /** Most inspectors at a time; more are closed with 1013. */
  readonly maxReaders: number;
  /** Bytes that may wait for a slow one; beyond them it is told nothing more until all has gone out, then everything anew. */
  readonly maxBufferedBytes: number;
  /** One that has not caught up for so long is closed with 1013. */
  readonly stallMs: number;
  /** From a polite end to a cut. */
  readonly closeGraceMs: number;
}

/** The definition of a runner has some 10 KiB: all that is told of 500 runners fits into this. */
const MOST_BUFFERED_BYTES = 8 * 1024 ** 2;

export const defaultInspectLimits: InspectLimits = {
  maxReaders: 16,
  maxBufferedBytes: MOST_BUFFERED_BYTES,
  stallMs: 60_000,
  closeGraceMs: 1_000,
};
