/** What there is to draw of some time: plain data, from a simulation or from what a service has told. Times in ms, memory in bytes. */
export interface TimelineData {
  /** From when to when something is known. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly devices: readonly TimelineDevice[];
  readonly runners: readonly TimelineRunner[];
  readonly queue: readonly QueueSample[];
  readonly requests: readonly TimelineRequest[];
  readonly decisions: readonly TimelineDecision[];
}

export interface TimelineDevice {
  readonly id: string;
  readonly totalBytes: number;
  readonly limitBytes: number;
  readonly samples: readonly MemorySample[];
}

/** What holds from its time until the next sample. */
export interface MemorySample {
  readonly atMs: number;
  readonly reservedBytes: number;
  /** In use by runners; null where that is not known. */
  readonly heldBytes: number | null;
  readonly othersBytes: number;
}

export interface TimelineRunner {
  readonly id: string;
  readonly model: string;
  readonly deviceIds: readonly string[];
  readonly spans: readonly StateSpan[];
}

export interface StateSpan {
  readonly state: string;
  readonly leases: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface QueueSample {
  readonly atMs: number;
  readonly waiting: number;
}

export interface TimelineRequest {
  readonly id: string;
  readonly model: string;
  readonly submittedAtMs: number;
  /** Null when it got no runner, or waits still. */
  readonly grantedAtMs: number | null;
  /** Null while it goes on, or when its end is not known. */
  readonly endedAtMs: number | null;
  /** `served`, `refused`, `lost`, `cancelled`, `running`, `waiting`. */
  readonly outcome: string;
  /** Why it failed; null when it did not. */
  readonly note: string | null;
}

export interface TimelineDecision {
  readonly atMs: number;
  readonly kind: string;
  readonly model: string;
  readonly reason: string;
}
