import { formatBytes } from '../../../machines/vocabulary.ts';
import type { Miss } from './check.ts';
import type { MomentExpectation } from './expectation-schema.ts';
import type { Sight } from './recorder.ts';

/** Half a percent: a split over devices is rounded. */
const SAME_BYTES_SHARE = 0.005;

/** Compares what there was to see at one time with what was expected. */
export function checkMoment(key: string, wanted: MomentExpectation, seen: Sight | undefined): Miss[] {
  if (!seen) return [{ key, message: 'the run had ended before', atMs: null }];
  const { atMs } = seen;
  const miss = (what: string, expected: string | number, found: string | number): Miss[] =>
    expected === found
      ? []
      : [{ key: `${key}.${what}`, message: `expected ${expected}, it was ${found}`, atMs }];
  const list = (names: readonly string[]): string => names.toSorted().join(', ') || 'nothing';
  const bytes = (what: 'reserved' | 'held'): Miss[] =>
    Object.entries(wanted[what] ?? {}).flatMap(([id, expected]) => {
      const found = seen[what][id] ?? 0;
      const isSame = Math.abs(found - expected) <= SAME_BYTES_SHARE * Math.max(expected, 1);
      return isSame ? [] : miss(`${what}.${id}`, formatBytes(expected), formatBytes(found));
    });
  return [
    ...(wanted.loaded ? miss('loaded', list(wanted.loaded), list(seen.loaded)) : []),
    ...Object.entries(wanted.states ?? {}).flatMap(([model, state]) =>
      miss(`states.${model}`, state, seen.states[model] ?? 'gone'),
    ),
    ...(wanted.waiting === undefined ? [] : miss('waiting', wanted.waiting, seen.waiting)),
    ...(wanted.processes === undefined ? [] : miss('processes', wanted.processes, seen.processes)),
    ...bytes('reserved'),
    ...bytes('held'),
    ...Object.entries(wanted.why ?? {}).flatMap(([id, text]) => {
      const why = seen.why[id];
      if (why === undefined) return miss(`why.${id}`, `'${text}'`, 'not waiting');
      return why.includes(text) ? [] : miss(`why.${id}`, `'${text}'`, `'${why}'`);
    }),
  ];
}
