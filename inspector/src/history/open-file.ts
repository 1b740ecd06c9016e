import { RECORDING_VERSION, recordingHeader, type RecordingHeader } from 'corral/client';
import type { Chart } from '../live/picture.ts';
import { keptTopics, type KeptTopic, type Pictures, type Told } from './pictures.ts';
import { Tape, type TapeBounds } from './tape.ts';

/** Something that happened elsewhere or earlier, to be looked at. */
export interface Opened {
  readonly title: string;
  readonly tape: Tape;
  /** The charts of that time; null when the file has none. */
  readonly charts: readonly Chart[] | null;
  /** To be simulated; null when the file has none. */
  readonly scenario: unknown;
}

/** Says why a file cannot be opened. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
}

/** No limit in time: all of a file is shown, unless it is huge. */
const bounds: TapeBounds = { ms: Infinity, size: 512 * 1024 ** 2 };

/**
 * Opens what the page has exported, or what `corral simulate --trace` has written: the latter may have several runs. Throws a
 * `FileProblem`.
 */
export function openFile(name: string, text: string): readonly Opened[] {
  const header = recordingHeader(text);
  if (header) {
    const version: number = header.version;
    if (version !== RECORDING_VERSION)
      throw new FileProblem(
        `${name} is of version ${version}; this page reads version ${RECORDING_VERSION}. Update Corral.`,
      );
    return [openRecording(name, text, header as RecordingHeader<unknown, Chart>)];
  }
  return openTrace(name, text);
}

function openRecording(
  name: string,
  text: string,
  { charts, scenario }: RecordingHeader<unknown, Chart>,
): Opened {
  const tape = new Tape(bounds);
  for (const { line, where } of linesOf(name, text, 1)) {
    const { at, pictures } = line as { readonly at?: unknown; readonly pictures?: unknown };
    if (typeof at !== 'number') throw new FileProblem(`${where} has no time ("at").`);
    if (arePictures(pictures)) tape.begin(at, pictures);
    else if (isTold(line)) tape.add(at, line);
    else throw new FileProblem(`${where} is no part of a recording.`);
  }
  if (!tape.span) throw new FileProblem(`${name} is empty: nothing was recorded.`);
  return { title: name, tape, charts, scenario };
}

/** One tape for each scenario and policy in it. */
function openTrace(name: string, text: string): readonly Opened[] {
  const tapes = new Map<string, Tape>();
  for (const { line, where } of linesOf(name, text, 0)) {
    const { scenario, policy, atMs, type } = line as Readonly<Record<string, unknown>>;
    if (typeof scenario !== 'string' || typeof policy !== 'string' || typeof atMs !== 'number')
      throw new FileProblem(
        `${where} is of no recording and no trace. The page opens what it has exported, and what corral simulate --trace has written.`,
      );
    if (type !== 'told') continue;
    const told = { ...line, type: 'change' };
    if (!isTold(told)) throw new FileProblem(`${where} tells of something unknown.`);
    const title = `${scenario} (${policy})`;
    const tape = tapes.get(title) ?? new Tape(bounds);
    tapes.set(title, tape);
    tape.add(atMs, told);
  }
  if (tapes.size === 0)
    throw new FileProblem(`${name} has nothing to show: it is empty, or was written by an older Corral.`);
  return [...tapes].map(([title, tape]) => ({ title, tape, charts: null, scenario: null }));
}

interface NumberedLine {
  readonly line: object;
  /** For messages: `day.jsonl, line 3`. */
  readonly where: string;
}

function* linesOf(name: string, text: string, skipped: number): Generator<NumberedLine> {
  let number = 0;
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end === -1 ? text.length : end);
    at = end === -1 ? text.length : end + 1;
    if (++number <= skipped || line.trim() === '') continue;
    const where = `${name}, line ${number}`;
    yield { line: parse(line, where), where };
  }
}

function parse(line: string, where: string): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new FileProblem(`${where} is not JSON: ${String(error)}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null) throw new FileProblem(`${where} is no JSON object.`);
  return value;
}

const isTold = (line: object): line is Told => {
  const { topic, type, data } = line as Partial<Record<keyof Told, unknown>>;
  if (!keptTopics.includes(topic as KeptTopic)) return false;
  return type === 'snapshot' ? isPicture(topic, data) : type === 'change' && isChange(topic, data);
};

const isStream = (topic: unknown): boolean => topic === 'decisions' || topic === 'events';

const hasEntries = (data: unknown): boolean => Array.isArray((data as { entries?: unknown } | null)?.entries);

const isPicture = (topic: unknown, data: unknown): boolean =>
  isStream(topic) ? hasEntries(data) : Array.isArray(data);

const isChange = (topic: unknown, data: unknown): boolean => {
  const { upsert, remove } = (data ?? {}) as { readonly upsert?: unknown; readonly remove?: unknown };
  return isStream(topic) ? hasEntries(data) : Array.isArray(upsert) && Array.isArray(remove);
};

const arePictures = (value: unknown): value is Pictures =>
  typeof value === 'object' &&
  value !== null &&
  keptTopics.every((topic) => isPicture(topic, (value as Partial<Record<KeptTopic, unknown>>)[topic]));
