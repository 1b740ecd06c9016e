import type { FailureCode } from '../../../machines/failures.ts';

const all = {
  model_not_found: 0,
  model_file_missing: 0,
  model_file_invalid: 0,
  does_not_fit: 0,
  devices_unavailable: 0,
  paused: 0,
  no_room: 0,
  queue_full: 0,
  queue_timeout: 0,
  spawn_failed: 0,
  load_out_of_memory: 0,
  load_stalled: 0,
  load_failed: 0,
  runner_crashed: 0,
  runner_unresponsive: 0,
  stopped: 0,
  shutting_down: 0,
  out_of_memory: 0,
  withdrawn: 0,
} satisfies Record<FailureCode, 0>;

const isCode = (key: string): key is FailureCode => key in all;

/** Every failure code, as a list that a schema can enumerate; the table above is complete by type. */
export const failureCodes: readonly FailureCode[] = Object.keys(all).filter(isCode);
