import { decide as decideByDefault } from './default-policy.ts';
import { decideLikeFifo } from './fifo-policy.ts';
import { decideLikeOllama } from './ollama-policy.ts';
import type { ModelSpec } from '../vocabulary.ts';
import { canServe } from './sharing.ts';
import type { Decision, PolicyName, View } from './view.ts';

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

/** Whether a runner of one model lets a request for another one in, by the chosen policy, with nobody before it. */
export const letsIn = (policy: PolicyName, running: ModelSpec, wanted: ModelSpec): boolean =>
  policy === 'ollama' ? running.classKey === wanted.classKey : canServe(running, wanted);
