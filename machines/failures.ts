/**
 * Everything that can go wrong, as data. A failure is a value inside and becomes an Error only at the edge
 * (`src/errors.ts` gives each code its HTTP status).
 */
export type FailureCode =
  /** No configured model has this name or alias. */
  | 'model_not_found'
  /** The model's file is not there, or cannot be opened. */
  | 'model_file_missing'
  /** The file is there and is not a model that the runtime can read: wrong magic, truncated, corrupt. */
  | 'model_file_invalid'
  /** It can never fit: more than all that could be freed on the devices that it may use. */
  | 'does_not_fit'
  /** The devices that it must use are not there, or cannot be read at present. */
  | 'devices_unavailable'
  /** The devices that it could be on are paused, and who needs them is not to wait. */
  | 'paused'
  /** Others would have to go, and nobody goes without a command. */
  | 'no_room'
  /** Too many requests wait already. */
  | 'queue_full'
  /** Waited longer than allowed. */
  | 'queue_timeout'
  /** The process could not be started at all. */
  | 'spawn_failed'
  /** Memory ran out while the model was loading. */
  | 'load_out_of_memory'
  /** No sign of life for the stall limit while loading. */
  | 'load_stalled'
  /** The process ended while loading, for any other reason. */
  | 'load_failed'
  /** The process ended while it served. */
  | 'runner_crashed'
  /** The process runs and no longer answers. */
  | 'runner_unresponsive'
  /** Somebody asked for this model to be stopped. */
  | 'stopped'
  /** Corral is shutting down. */
  | 'shutting_down'
  /** The device ran out of memory while serving. */
  | 'out_of_memory'
  /** The client left. */
  | 'withdrawn';

/** What failed, for which model, with the numbers, and what to do: readable as it stands. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  /** Seconds after which a retry makes sense, when one does. */
  readonly retryAfterSeconds?: number;
  /** The most telling line of the process's log, if there is one. */
  readonly logLine?: string;
}
