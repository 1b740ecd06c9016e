/**
 * A recording as a file: JSON, one object a line. The first line is a `RecordingHeader`; each further one has a picture of
 * everything, or what was told of one topic. `corral simulate` plays the scenario, the page shows the rest.
 * No imports: pages load this.
 */

export const RECORDING_FORMAT = 'corral-recording';
export const RECORDING_VERSION = 1;

export interface RecordingHeader<Scenario = unknown, Chart = unknown> {
  readonly format: typeof RECORDING_FORMAT;
  readonly version: typeof RECORDING_VERSION;
  /** What happened, to be simulated; null when it could not be had. */
  readonly scenario: Scenario | null;
  /** The statecharts as data. */
  readonly charts: readonly Chart[];
}

/** The header of a recording; null for anything else. */
export function recordingHeader(text: string): RecordingHeader | null {
  if (!text.startsWith('{')) return null;
  const end = text.indexOf('\n');
  try {
    const header = JSON.parse(end === -1 ? text : text.slice(0, end)) as Partial<RecordingHeader>;
    return header.format === RECORDING_FORMAT ? (header as RecordingHeader) : null;
  } catch {
    // A scenario in JSON over several lines, or in YAML's flow style.
    return null;
  }
}
