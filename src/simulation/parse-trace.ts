import { z } from 'zod';
import { ConfigError, type ConfigProblem } from '../config/config-error.ts';
import type { Trace, TraceRequest } from './trace.ts';

const GIB = 1024 ** 3;
const COLUMNS = 't_seconds,model,prompt_tokens,output_tokens';

const positive = z.number().positive();

/** The JSON file of a trace. Keys that it has beyond these say where it comes from. */
const aboutSchema = z.object({
  gpus_gb: z.array(positive).min(1),
  models: z
    .array(
      z.object({
        name: z.string().min(1),
        size_gb: positive,
        load_s: z.number().min(0),
        parallel: positive.int(),
        prefill_tps: positive,
        decode_tps: positive,
      }),
    )
    .min(1),
});

/** A file's name, for messages, and what is in it. */
export interface TraceText {
  readonly file: string;
  readonly text: string;
}

/**
 * Reads a trace: requests as CSV, `t_seconds,model,prompt_tokens,output_tokens`, and its GPUs and models as JSON (sizes in GiB, times in
 * seconds, rates in tokens a second). Requests may come in any order. Throws a `ConfigError` that names every problem with its line.
 */
export function parseTrace(csv: TraceText, json: TraceText): Trace {
  const about = aboutOf(json);
  const models = about.models.map((model) => ({
    name: model.name,
    sizeBytes: Math.round(model.size_gb * GIB),
    loadMs: model.load_s * 1000,
    slots: model.parallel,
    prefillTokensPerSecond: model.prefill_tps,
    decodeTokensPerSecond: model.decode_tps,
  }));
  const requests = requestsOf(csv, new Set(models.map(({ name }) => name)));
  return { gpusBytes: about.gpus_gb.map((gib) => Math.round(gib * GIB)), models, requests };
}

function aboutOf({ file, text }: TraceText): z.output<typeof aboutSchema> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(file, [{ line: 0, column: 0, key: '', message: `is no JSON: ${reason}` }]);
  }
  const parsed = aboutSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => ({
    line: 0,
    column: 0,
    key: path.map(String).join('.'),
    message,
  }));
  throw new ConfigError(file, problems);
}

function requestsOf({ file, text }: TraceText, known: ReadonlySet<string>): TraceRequest[] {
  const problems: ConfigProblem[] = [];
  const requests: TraceRequest[] = [];
  const [header = '', ...lines] = text.trimEnd().split(/\r?\n/);
  const isHeader = header.trim() === COLUMNS;
  if (!isHeader) problems.push({ line: 1, column: 1, key: '', message: `expected the columns ${COLUMNS}` });
  else
    lines.forEach((line, i) => {
      const found = requestOf(line, known);
      if (typeof found === 'string') problems.push({ line: i + 2, column: 1, key: '', message: found });
      else requests.push(found);
    });
  if (isHeader && lines.length === 0)
    problems.push({ line: 0, column: 0, key: '', message: 'has no requests in it' });
  if (problems.length > 0) throw new ConfigError(file, problems.slice(0, MOST_PROBLEMS), text);
  return requests.toSorted((a, b) => a.atMs - b.atMs);
}

/** A file of another kind would be wrong in each of its lines. */
const MOST_PROBLEMS = 10;

/** One line's request, or what is wrong with it. */
function requestOf(line: string, known: ReadonlySet<string>): TraceRequest | string {
  const fields = line.split(',').map((field) => field.trim());
  const [at = '', model = '', prompt = '', output = ''] = fields;
  if (fields.length !== 4) return `expected four fields, found ${fields.length}`;
  if (!known.has(model)) return `the model '${model}' is not among those of the trace`;
  const numbers = [at, prompt, output].map((field) => (field === '' ? NaN : Number(field)));
  if (!numbers.every((number) => number >= 0 && Number.isFinite(number)))
    return 'expected a time and two numbers of tokens, none below zero';
  const [seconds = 0, promptTokens = 0, outputTokens = 0] = numbers;
  return { atMs: Math.round(seconds * 1000), model, promptTokens, outputTokens };
}
