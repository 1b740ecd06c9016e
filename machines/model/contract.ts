import type { LoadFailures } from '../planning/load-failures.ts';
import type { Failure } from '../failures.ts';
import type { ModelSpec } from '../vocabulary.ts';

/** The furthest that any process of a model is. */
export type Presence = 'none' | 'starting' | 'serving' | 'leaving';

/** What happens to a model, told by whoever keeps the tables. Only what may change a state is told, never each request. */
export type ModelEvent =
  /** Somebody waits for it, and nobody did before. */
  | { type: 'requests.waiting' }
  /** Nobody waits for it any more. */
  | { type: 'requests.none' }
  /** Memory is promised to it, which others have to give back first. */
  | { type: 'memory.claimed' }
  /** The last promise is over: its process starts, or nobody needs it any more. */
  | { type: 'memory.unclaimed' }
  /** A process of it has been started. */
  | { type: 'process.starting' }
  /** A process of it has loaded. */
  | { type: 'process.loaded' }
  /** A process of it has to go, or has failed; `left` is what its others make of it. */
  | { type: 'process.leaving'; left: Presence }
  /** A process of it has ended and its memory is back. */
  | { type: 'process.gone'; left: Presence }
  /** A load failed, or a loaded process did. */
  | { type: 'load.failed'; failure: Failure; atMs: number }
  /** A request was served to its end: earlier failures are forgotten. */
  | { type: 'request.served' }
  /** The pause after its failures is over. */
  | { type: 'retry.due' }
  /** It ran out of memory beside others: this class of it is tried with a device to itself. */
  | { type: 'alone.wanted'; classKey: string }
  /** That try is over; `isLast`: no other class of it has one. */
  | { type: 'alone.over'; classKey: string; isLast: boolean }
  /** It stays loaded, and is brought back after whatever failed, as this. */
  | { type: 'model.pinned'; spec: ModelSpec }
  | { type: 'model.unpinned' }
  /** It was to be loaded from the start, and had to go for something else: it comes back once there is room. */
  | { type: 'model.displaced'; spec: ModelSpec }
  /** It is not to come back by itself. */
  | { type: 'model.dropped' }
  /** It is configured anew: what its loads were like says nothing any more. */
  | { type: 'model.redefined' };

export interface ModelContext {
  readonly name: string;
  readonly failures: LoadFailures;
  /** Class keys of those that are tried with a device to themselves. */
  readonly alone: readonly string[];
  /** As what it is brought back; null while it is not pinned. */
  readonly pinnedAs: ModelSpec | null;
  /** As what it comes back once there is room; null while it is not to. */
  readonly displacedAs: ModelSpec | null;
}

/** The active state of each region. */
export interface ModelState {
  readonly requests: 'none' | 'waiting' | 'claiming';
  readonly process: Presence;
  readonly loads: 'allowed' | 'backing-off';
  readonly device: 'shared' | 'alone';
  readonly pin: 'free' | 'pinned';
  readonly place: 'held' | 'displaced';
}

/** Where a model stands: plain data, from which its chart goes on. */
export interface ModelRow {
  readonly state: ModelState;
  readonly context: ModelContext;
}
