import { decide as decideByDefault } from './default-policy.ts';
import { decideLikeFifo } from './fifo-policy.ts';
import { decideLikeOllama } from './ollama-policy.ts';
import type { ModelSpec } from '../vocabulary.ts';
import { canServe, isServing } from './sharing.ts';
import type { Decision, PolicyName, RunnerView, View } from './view.ts';

const POLICIES: Record<PolicyName, (view: View, nowMs: number) => Decision> = {
  default: decideByDefault,
  ollama: decideLikeOllama,
  fifo: decideLikeFifo,
};

/**
 * The next step, by the chosen policy. Pure, total and deterministic: it may be asked "what if" at any time. The
 * scheduler takes each step and asks again, until the answer is `rest`.
 */
export const decide = (view: View, nowMs: number): Decision => POLICIES[view.settings.policy](view, nowMs);

/**
 * The runner that serves a request which has just come, with nobody of its model before it: what `decide` would grant, without the
 * way through a queue. Null when it has to wait.
 */
export function runnerAtOnce(view: View, spec: ModelSpec): RunnerView | null {
  if (view.queuesOf(spec.name).length > 0) return null;
  const isLikeOllama = view.settings.policy === 'ollama';
  let best: RunnerView | null = null;
  for (const runner of view.runnersOf(spec.name)) {
    if (!isServing(runner) || runner.leases.size >= runner.slots) continue;
    if (isLikeOllama ? runner.spec.classKey !== spec.classKey : !canServe(runner.spec, spec)) continue;
    if (best === null || runner.leases.size < best.leases.size) best = runner;
  }
  return best;
}
