import { signal } from '@preact/signals';
import { shown } from '../../live/shown.ts';
import { DecisionLine } from '../../parts/decision-line.tsx';
import { storyOf } from '../../parts/decision-words.ts';

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
