import type { Evidence, Miss } from './check.ts';
import type { RequestExpectation } from './expectation-schema.ts';
import { formatTime } from './format-time.ts';
import type { RequestResult } from './result.ts';
import type { Window } from './scalars.ts';

/** Compares what became of a request with what was expected of it. */
export function checkRequest(id: string, wanted: RequestExpectation, evidence: Evidence): Miss[] {
  const key = `requests.${id}`;
  const request = evidence.recorder.requests.get(id);
  if (!request) return [{ key, message: 'there was no such request', atMs: null }];
  const { toleranceMs } = evidence;
  const endedAtMs = request.endedAtMs;
  const waitMs = request.grantedAtMs === null ? null : request.grantedAtMs - request.submittedAtMs;
  return [
    ...checkGrant(`${key}.granted`, wanted.granted, request, toleranceMs),
    ...checkTime(`${key}.waits`, 'waited', wanted.waits, waitMs, toleranceMs, request.grantedAtMs),
    ...checkTime(`${key}.ends`, 'ended at', wanted.ends, endedAtMs, toleranceMs, endedAtMs),
    ...checkRunner(`${key}.runner`, wanted.runner, request, evidence),
    ...checkPlace(`${key}.on`, wanted.on, request, evidence),
    ...checkError(key, wanted, request, toleranceMs),
    ...(wanted.outcome === undefined || wanted.outcome === request.outcome
      ? []
      : [{ key, message: `expected ${wanted.outcome}, ${fateOf(request)}`, atMs: endedAtMs }]),
  ];
}

function checkGrant(
  key: string,
  wanted: RequestExpectation['granted'],
  request: RequestResult,
  toleranceMs: number,
): Miss[] {
  const { grantedAtMs } = request;
  if (wanted !== 'never') {
    const misses = checkTime(key, 'was granted at', wanted, grantedAtMs, toleranceMs, grantedAtMs);
    return grantedAtMs !== null
      ? misses
      : misses.map((miss) => ({ ...miss, message: `${miss.message}: ${fateOf(request)}` }));
  }
  return grantedAtMs === null
    ? []
    : [{ key, message: `was granted at ${formatTime(grantedAtMs)}`, atMs: grantedAtMs }];
}

function checkTime(
  key: string,
  verb: string,
  wanted: Window | undefined,
  seenMs: number | null,
  toleranceMs: number,
  atMs: number | null,
): Miss[] {
  if (wanted === undefined) return [];
  if (seenMs === null) return [{ key, message: `expected ${wanted.text}, never happened`, atMs: null }];
  const slackMs = wanted.isPoint ? toleranceMs : 0;
  if (seenMs >= wanted.fromMs - slackMs && seenMs <= wanted.toMs + slackMs) return [];
  return [{ key, message: `expected ${wanted.text}, ${verb} ${formatTime(seenMs)}`, atMs }];
}

function checkRunner(
  key: string,
  wanted: string | undefined,
  request: RequestResult,
  { recorder }: Evidence,
): Miss[] {
  if (wanted === undefined) return [];
  const [, not, other = ''] = /^(not )?with (\S+)$/.exec(wanted.trim()) ?? [];
  const theirs = recorder.requests.get(other)?.runnerId;
  if (theirs === undefined)
    return [{ key, message: `'${wanted}' is neither 'with <request>' nor 'not with <request>'`, atMs: null }];
  const isSame = request.runnerId !== null && request.runnerId === theirs;
  if (request.runnerId !== null && isSame === (not === undefined)) return [];
  const message = `expected ${wanted}, it had ${request.runnerId ?? 'none'} and ${other} ${theirs ?? 'none'}`;
  return [{ key, message, atMs: request.grantedAtMs }];
}

function checkPlace(
  key: string,
  wanted: RequestExpectation['on'],
  request: RequestResult,
  { recorder }: Evidence,
): Miss[] {
  if (wanted === undefined) return [];
  const expected = [wanted].flat().toSorted().join(' + ');
  const runner = recorder.runners.get(request.runnerId ?? '');
  const seen = Object.keys(runner?.reservation ?? {})
    .toSorted()
    .join(' + ');
  return seen === expected
    ? []
    : [{ key, message: `expected ${expected}, it was ${seen || 'nowhere'}`, atMs: request.grantedAtMs }];
}

function checkError(
  key: string,
  { error, at, says }: RequestExpectation,
  request: RequestResult,
  toleranceMs: number,
): Miss[] {
  if (error === undefined) return [];
  const { failure, endedAtMs } = request;
  if (failure?.code !== error)
    return [{ key: `${key}.error`, message: `expected ${error}, ${fateOf(request)}`, atMs: endedAtMs }];
  const isSaid = says === undefined || failure.message.includes(says);
  return [
    ...checkTime(`${key}.at`, 'failed at', at, endedAtMs, toleranceMs, endedAtMs),
    ...(isSaid
      ? []
      : [{ key: `${key}.says`, message: `expected '${says}' in: ${failure.message}`, atMs: endedAtMs }]),
  ];
}

/** What has become of a request, in words. */
export function fateOf({ outcome, grantedAtMs, endedAtMs, failure }: RequestResult): string {
  if (outcome === 'waiting') return 'it still waits at the end';
  if (outcome === 'running') return `it runs since ${formatTime(grantedAtMs ?? 0)}`;
  const at = `at ${formatTime(endedAtMs ?? 0)}`;
  return `it was ${outcome} ${at}${failure ? ` (${failure.code}: ${failure.message})` : ''}`;
}
