import type { Decision } from '../live/picture.ts';
import './decision-line.css';
import { decisionWords, isTrouble } from './decision-words.ts';
import { formatTime } from './format-duration.ts';

/** One decision: when, what, and why. */
export function DecisionLine({ decision }: { readonly decision: Decision }) {
  const [before, after] = decisionWords(decision);
  return (
    <li class="decision" data-kind={decision.kind} data-trouble={isTrouble(decision)}>
      <time dateTime={decision.at}>{formatTime(decision.at)}</time>
      <span>
        {before} <b>{decision.model}</b> {after}
        <span class="decision-reason">{decision.reason}</span>
      </span>
    </li>
  );
}
