import { canServe } from '../machines/planning/sharing.ts';
import type { ClassQueue, View } from '../machines/planning/view.ts';

/**
 * Ms until the request at `index` of a queue gets a runner, as far as that can be known: the rest of a load, or all of
 * it. Null when it depends on how long others generate, or on what is not decided yet.
 */
export function estimateWait(queue: ClassQueue, index: number, view: View, nowMs: number): number | null {
  const { spec } = queue;
  if (index >= spec.launch.slots) return null;
  const loadMs = view.reloadSecondsOf(spec) * 1000;
  const loading = view
    .runnersOf(spec.name)
    .find((runner) => runner.state === 'loading' && canServe(runner.spec, spec));
  if (loading) return Math.max(0, loading.startedAtMs + loadMs - nowMs);
  const claim = view.claims.get(spec.classKey);
  const isDrained = claim?.awaits.every((id) => (view.runners.get(id)?.leases ?? 0) === 0);
  return isDrained ? loadMs : null;
}
