import { recordingHeader } from 'corral/client';

/** The scenario in a file as text: of a recording its part that can be played. Throws an `Error` that says why there is none. */
export function scenarioInFile(name: string, text: string): string {
  const header = recordingHeader(text);
  if (!header) return text;
  if (header.scenario === null)
    throw new Error(`${name} is a recording without a scenario: it can be looked at, and not played.`);
  return `${JSON.stringify(header.scenario, null, 2)}\n`;
}
