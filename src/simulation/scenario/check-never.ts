import { parseSize } from '../../config/parse-size.ts';
import { formatBytes } from '../../../machines/vocabulary.ts';
import type { Miss } from './check.ts';
import type { NeverExpectation } from './expectation-schema.ts';
import type { Recorder } from './recorder.ts';

/** Looks for the first time at which something happened that must not. */
export function checkNever(key: string, wanted: NeverExpectation, recorder: Recorder): Miss[] {
  const { evicted, loaded, decided, runners, waiting, above = 0 } = wanted;
  const found = recorder.decisions.find((record) => `${record.kind} ${record.model}` === decided);
  return [
    ...(found ? [{ key, message: `${decided}: ${found.reason}`, atMs: found.atMs }] : []),
    ...neverDecided(key, 'evict', evicted, recorder),
    ...neverDecided(key, 'load', loaded, recorder),
    ...(runners === undefined ? [] : neverMoreProcesses(key, runners, Number(above), recorder)),
    ...neverMoreMemory(key, wanted, recorder),
    ...(waiting === undefined ? [] : neverMoreWaiting(key, waiting, recorder)),
  ];
}

function neverDecided(
  key: string,
  kind: 'evict' | 'load',
  model: string | undefined,
  { decisions }: Recorder,
): Miss[] {
  const found = decisions.find((record) => record.kind === kind && record.model === model);
  const verb = kind === 'evict' ? 'was evicted' : 'was loaded';
  return found ? [{ key, message: `${model} ${verb}: ${found.reason}`, atMs: found.atMs }] : [];
}

function neverMoreProcesses(key: string, model: string, most: number, { mostProcesses }: Recorder): Miss[] {
  const seen = mostProcesses.get(model);
  return seen && seen.count > most
    ? [{ key, message: `${model} had ${seen.count} processes`, atMs: seen.atMs }]
    : [];
}

function neverMoreMemory(key: string, wanted: NeverExpectation, { devices }: Recorder): Miss[] {
  const mostBytes = parseSize(wanted.above ?? 0) ?? 0;
  return (['reserved', 'held'] as const).flatMap((what) => {
    const samples = devices.get(wanted[what] ?? '')?.samples ?? [];
    const found = samples.find((sample) => sample[`${what}Bytes`] > mostBytes);
    if (!found) return [];
    return [{ key, message: `${formatBytes(found[`${what}Bytes`])} were ${what}`, atMs: found.atMs }];
  });
}

function neverMoreWaiting(key: string, most: number, { queue }: Recorder): Miss[] {
  const found = queue.find((sample) => sample.waiting > most);
  return found ? [{ key, message: `${found.waiting} requests waited`, atMs: found.atMs }] : [];
}
