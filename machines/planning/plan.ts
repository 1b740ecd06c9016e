import { decide as decideByDefault } from './default-policy.ts';
import { decideLikeOllama } from './ollama-policy.ts';
import type { Decision, View } from './view.ts';

/**
 * The next step, by the chosen policy. Pure, total and deterministic: it may be asked "what if" at any time. The
 * scheduler takes each step and asks again, until the answer is `rest`.
 */
export function decide(view: View, nowMs: number): Decision {
  return view.settings.policy === 'ollama' ? decideLikeOllama(view, nowMs) : decideByDefault(view, nowMs);
}
