import { signal } from '@preact/signals';
import type { Decision } from '../../live/picture.ts';
import { shown } from '../../live/shown.ts';
import { formatTime } from '../../parts/format-duration.ts';
import { decisionWords, isTrouble, storyOf } from './decision-words.ts';

const DRAWN = 60;
const withGrants = signal(false);

/** What was decided last, and why, in words. */
export function Decisions() {
  const story = storyOf(shown.decisions.value, withGrants.value).slice(0, DRAWN);
  return (
    <section class="panel decisions" aria-labelledby="decisions-title">
      <div class="panel-head">
        <h2 id="decisions-title">Decisions</h2>
        <label>
          <input
            type="checkbox"
            checked={withGrants}
            onChange={(event) => (withGrants.value = event.currentTarget.checked)}
          />
          each request
        </label>
      </div>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="decisions-title">
        {story.length === 0 && <p class="empty">Nothing was decided yet.</p>}
        <ol>
          {story.map((decision) => (
            <DecisionLine key={decision.seq} decision={decision} />
          ))}
        </ol>
      </div>
    </section>
  );
}

/** One decision: when, what, and why. */
export function DecisionLine({ decision }: { readonly decision: Decision }) {
  const [before, after] = decisionWords(decision);
  return (
    <li data-kind={decision.kind} data-trouble={isTrouble(decision)}>
      <time dateTime={decision.at}>{formatTime(decision.at)}</time>
      <span>
        {before} <b>{decision.model}</b> {after}
        <span class="decision-reason">{decision.reason}</span>
      </span>
    </li>
  );
}
