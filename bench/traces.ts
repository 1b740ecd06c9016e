import { readdirSync, readFileSync } from 'node:fs';
import { parseTrace } from '../src/simulation/parse-trace.ts';
import type { Trace } from '../src/simulation/trace.ts';

/** Seen from dist/bench, where this is built to. */
const FOLDER = new URL('../../bench/traces/', import.meta.url);

/** The names of the traces in `bench/traces`. */
export const traceNames = (folder = FOLDER): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.csv'))
    .map((file) => file.slice(0, -'.csv'.length));

/** One of them, with its GPUs and models. */
export function readTrace(name: string, folder = FOLDER): Trace {
  const read = (file: string) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') });
  return parseTrace(read(`${name}.csv`), read(`${name}.json`));
}
