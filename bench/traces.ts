import { readdirSync, readFileSync } from 'node:fs';
import { parseTrace, type Trace } from '../src/simulation/trace.ts';

/** Seen from dist/bench, where this is built to. */
const FOLDER = new URL('../../bench/traces/', import.meta.url);

/** The names of the traces in `bench/traces`. */
export const traceNames = (folder = FOLDER): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.csv'))
    .map((file) => file.slice(0, -'.csv'.length));

/** One of them, with its GPUs and models. */
export const readTrace = (name: string, folder = FOLDER): Trace =>
  parseTrace(
    readFileSync(new URL(`${name}.csv`, folder), 'utf8'),
    readFileSync(new URL(`${name}.json`, folder), 'utf8'),
  );
