import type { DecisionRecord } from '../../../machines/scheduler/contract.ts';
import type { Measures, RequestResult } from './result.ts';

/** The figures of a run. Waits are those of requests that got a runner. */
export function measuresOf(
  requests: readonly RequestResult[],
  decisions: readonly DecisionRecord[],
  loadMs: number,
): Measures {
  const waits = requests
    .flatMap(({ submittedAtMs, grantedAtMs }) =>
      grantedAtMs === null ? [] : [(grantedAtMs - submittedAtMs) / 1000],
    )
    .toSorted((a, b) => a - b);
  const at = (share: number): number =>
    waits[Math.min(waits.length - 1, Math.floor(share * waits.length))] ?? 0;
  const countOf = (kind: DecisionRecord['kind']): number =>
    decisions.filter((record) => record.kind === kind).length;
  return {
    loadSeconds: loadMs / 1000,
    loads: countOf('load'),
    evictions: countOf('evict'),
    meanWaitSeconds: waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length),
    p50WaitSeconds: at(0.5),
    p95WaitSeconds: at(0.95),
    p99WaitSeconds: at(0.99),
    maxWaitSeconds: at(1),
  };
}
