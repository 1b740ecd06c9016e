/** Where the content of one topic comes from. What it gives becomes JSON at once and is not kept. */
export interface Source {
  /** The topic as a whole, as it was at the last `take`. */
  snapshot(): unknown;
  /** What has changed since the last `take`; null when nothing has. */
  take(): unknown;
  close(): void;
}

/** Begins to watch something, and says `touch` when there may be something to take; the answer ends it. */
export type Watch = (touch: () => void) => () => void;
