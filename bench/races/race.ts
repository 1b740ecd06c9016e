/** A closed loop: clients that ask, wait, are served, think, and ask again. Times in ms, sizes in GB (10^9 bytes). */
export interface Race {
  readonly id: string;
  readonly family: string;
  readonly seed: number;
  /** The unit that its times are multiples of: about what a load takes. */
  readonly R: number;
  readonly seconds: number;
  /** Of its one device. */
  readonly memory: number;
  readonly kind?: 'discrete' | 'cpu';
  readonly recoveryMs: number;
  readonly exitMs: number;
  readonly keepAliveMs?: number;
  /** In the order of their definition. */
  readonly models: readonly RaceModel[];
  readonly clients: readonly RaceClient[];
}

export interface RaceModel {
  readonly name: string;
  readonly size: number;
  readonly loadMs: number;
  /** What is believed before the first load. */
  readonly estimateMs?: number;
  readonly slots: number;
}

export interface RaceClient {
  /** Whom it asks; several are asked in turn. */
  readonly model: string | readonly string[];
  /** Mean time between an answer and the next request. */
  readonly thinkMs: number;
  /** Mean time that an answer takes; each one just that long with `fixed`. */
  readonly serviceMs: number;
  readonly fixed?: boolean;
  readonly startMs?: number;
  /** Asks so many times in a row (on the mean), so far apart, and thinks then. */
  readonly burst?: { readonly count: number; readonly gapMs: number };
}

/** What came of a race. Times in seconds; a wait is from a request until its runner takes it. */
export interface RaceResult {
  readonly answered: number;
  readonly loads: number;
  readonly meanWait: number;
  readonly p95Wait: number;
  readonly p99Wait: number;
  readonly maxWait: number;
  /** Waits in the order of the requests, those that were never served included. */
  readonly waits: readonly number[];
}
