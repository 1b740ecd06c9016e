import { RECORDING_FORMAT, RECORDING_VERSION, type RecordingHeader } from 'corral/client';
import { keyHeaders } from '../live/key.ts';
import { keptLines, opened, shownCharts } from './player.ts';

/** Lines that become one piece of the file. */
const PIECE = 500;

/** Offers all that is kept as a file. Answers whether it has a scenario, too, which `corral simulate` needs. */
export async function exportRecording(): Promise<boolean> {
  const scenario = opened.peek() ? opened.peek()?.scenario : await recordedScenario();
  const header: RecordingHeader = {
    format: RECORDING_FORMAT,
    version: RECORDING_VERSION,
    scenario: scenario ?? null,
    charts: shownCharts.peek(),
  };
  const pieces = [`${JSON.stringify(header)}\n`];
  let piece: string[] = [];
  for (const line of keptLines()) {
    if (piece.push(line) < PIECE) continue;
    pieces.push(`${piece.join('\n')}\n`);
    piece = [];
  }
  pieces.push(piece.join('\n'));
  offer(new Blob(pieces, { type: 'application/jsonl' }), `corral-${stamp()}.jsonl`);
  return scenario != null;
}

async function recordedScenario(): Promise<unknown> {
  try {
    const answer = await fetch(new URL('api/v1/recording', document.baseURI), { headers: keyHeaders() });
    return answer.ok ? await answer.json() : null;
  } catch {
    // Without a connection there is still what the page has kept.
    return null;
  }
}

/** `2026-11-24-2031`. */
const stamp = (): string => new Date().toISOString().slice(0, 16).replace('T', '-').replace(':', '');

function offer(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
