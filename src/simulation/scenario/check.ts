import type { DecisionRecord } from '../../../machines/scheduler/contract.ts';
import { checkMoment } from './check-moment.ts';
import { checkNever } from './check-never.ts';
import { checkRequest } from './check-request.ts';
import type { Expectations } from './expectation-schema.ts';
import type { Recorder, Sight } from './recorder.ts';
import type { ExpectationFailure } from './result.ts';
import { isAsMany } from './scalars.ts';

/** One thing that did not come true: where it stands, what is wrong, and when that shows. */
export interface Miss {
  readonly key: string;
  readonly message: string;
  readonly atMs: number | null;
}

/** What a run is compared with. */
export interface Evidence {
  readonly recorder: Recorder;
  /** In the order of `expected.moments`. */
  readonly moments: readonly Sight[];
  readonly end: Sight;
  readonly toleranceMs: number;
}

/** Decisions shown with a failure: so many before it and after it. */
const SHOWN_BEFORE = 5;
const SHOWN_AFTER = 2;

/** Compares a run with what was expected, and with the rules that always hold. */
export function check(
  expected: Expectations | undefined,
  root: string,
  evidence: Evidence,
): ExpectationFailure[] {
  const { recorder } = evidence;
  const rules = recorder.breaches.map(({ rule, message, atMs }) => ({
    key: `always.${rule}`,
    message,
    atMs,
  }));
  const misses = expected
    ? missesOf(expected, evidence).map((miss) => ({ ...miss, key: `${root}.${miss.key}` }))
    : [];
  return [...rules, ...misses].map(({ key, message, atMs }) => ({
    expectation: key,
    message,
    atMs,
    decisions: decisionsAround(recorder.decisions, atMs),
  }));
}

function missesOf(expected: Expectations, evidence: Evidence): Miss[] {
  const { recorder, moments, end } = evidence;
  return [
    ...Object.entries(expected.requests ?? {}).flatMap(([id, wanted]) =>
      checkRequest(id, typeof wanted === 'string' ? { outcome: wanted } : wanted, evidence),
    ),
    ...checkOrder(expected.order, recorder),
    ...checkCounts('loads', 'load', expected.loads, recorder),
    ...checkCounts('evictions', 'evict', expected.evictions, recorder),
    ...checkEvicted(expected.evicted, recorder),
    ...checkDecisions(expected.decisions, recorder),
    ...checkReasons(expected.reasons, recorder),
    ...(expected.moments ?? []).flatMap((wanted, i) => checkMoment(`moments.${i}`, wanted, moments[i])),
    ...(expected.never ?? []).flatMap((wanted, i) => checkNever(`never.${i}`, wanted, recorder)),
    ...(expected.end ? checkMoment('end', expected.end, end) : []),
  ];
}

function checkOrder(order: readonly string[] | undefined, { requests }: Recorder): Miss[] {
  if (!order) return [];
  const granted = order
    .map((id) => requests.get(id))
    .filter((request) => request !== undefined && request.grantedAtMs !== null)
    .map((request) => ({ id: request?.id ?? '', atMs: request?.grantedAtMs ?? 0 }));
  const missing = order.filter((id) => !granted.some((request) => request.id === id));
  if (missing.length > 0)
    return [{ key: 'order', message: `${missing.join(', ')} never got a runner`, atMs: null }];
  const late = granted.find(({ atMs }, i) => i > 0 && atMs < (granted[i - 1]?.atMs ?? 0));
  if (!late) return [];
  const seen = granted.toSorted((a, b) => a.atMs - b.atMs).map(({ id }) => id);
  return [{ key: 'order', message: `was ${seen.join(', ')}`, atMs: late.atMs }];
}

function checkCounts(
  key: 'loads' | 'evictions',
  kind: DecisionRecord['kind'],
  wanted: Expectations['loads'],
  { decisions }: Recorder,
): Miss[] {
  if (wanted === undefined) return [];
  const all = decisions.filter((record) => record.kind === kind);
  const last = all.at(-1)?.atMs ?? null;
  const miss = (at: string, count: number | string, seen: number): Miss[] =>
    isAsMany(seen, count) ? [] : [{ key: at, message: `expected ${count}, there were ${seen}`, atMs: last }];
  if (typeof wanted !== 'object') return miss(key, wanted, all.length);
  return Object.entries(wanted).flatMap(([model, count]) =>
    miss(`${key}.${model}`, count, all.filter((record) => record.model === model).length),
  );
}

function checkEvicted(wanted: readonly string[] | undefined, { decisions }: Recorder): Miss[] {
  if (!wanted) return [];
  const evictions = decisions.filter((record) => record.kind === 'evict');
  const seen = [...new Set(evictions.map((record) => record.model))].toSorted();
  if (seen.join() === wanted.toSorted().join()) return [];
  const message = `expected ${wanted.join(', ') || 'nobody'}, it was ${seen.join(', ') || 'nobody'}`;
  return [{ key: 'evicted', message, atMs: evictions.at(-1)?.atMs ?? null }];
}

function checkDecisions(wanted: readonly string[] | undefined, { decisions }: Recorder): Miss[] {
  let from = 0;
  for (const [i, text] of (wanted ?? []).entries()) {
    const found = decisions.findIndex(
      (record, at) => at >= from && `${record.kind} ${record.model}` === text,
    );
    if (found < 0) {
      const after = from === 0 ? '' : ` after ${wanted?.[i - 1]}`;
      const atMs = decisions[from - 1]?.atMs ?? null;
      return [{ key: `decisions.${i}`, message: `no '${text}'${after}`, atMs }];
    }
    from = found + 1;
  }
  return [];
}

const checkReasons = (wanted: readonly string[] | undefined, { decisions }: Recorder): Miss[] =>
  (wanted ?? []).flatMap((text, i) =>
    decisions.some(({ reason }) => reason.includes(text))
      ? []
      : [{ key: `reasons.${i}`, message: `no decision has the reason '${text}'`, atMs: null }],
  );

function decisionsAround(decisions: readonly DecisionRecord[], atMs: number | null): DecisionRecord[] {
  if (atMs === null) return decisions.slice(-SHOWN_BEFORE - SHOWN_AFTER);
  const later = decisions.findIndex((record) => record.atMs > atMs);
  const middle = later < 0 ? decisions.length : later;
  return decisions.slice(Math.max(0, middle - SHOWN_BEFORE), middle + SHOWN_AFTER);
}
