import type { Wait } from '../../live/picture.ts';
import { shown } from '../../live/shown.ts';
import { formatClock } from '../../parts/format-duration.ts';

/** Rows that are drawn; a longer queue says how much longer it is. */
const DRAWN = 50;

/** Who waits, for what, since when, and for how much longer. */
export function Waiting() {
  const queue = shown.queue.value;
  return (
    <section class="panel waiting" aria-labelledby="waiting-title">
      <div class="panel-head">
        <h2 id="waiting-title">Waiting</h2>
        <span class="count">{queue.length}</span>
      </div>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="waiting-title">
        {queue.length === 0 && <p class="empty">Nobody waits.</p>}
        <ol>
          {queue.slice(0, DRAWN).map((wait) => (
            <WaitLine key={wait.id} wait={wait} />
          ))}
        </ol>
        {queue.length > DRAWN && <p class="empty">and {queue.length - DRAWN} more</p>}
      </div>
    </section>
  );
}

const WaitLine = ({ wait }: { readonly wait: Wait }) => (
  <li>
    <span class="wait-position">{wait.position}</span>
    <span class="wait-model">{wait.model}</span>
    <span class="wait-times">
      <WaitTimes wait={wait} />
    </span>
    <span class="wait-reason">{wait.reason}</span>
  </li>
);

function WaitTimes({ wait: { since, expectedAt } }: { readonly wait: Wait }) {
  const nowMs = shown.nowMs.value;
  const waited = formatClock(nowMs - Date.parse(since));
  if (expectedAt === null) return <>{waited} so far</>;
  return (
    <>
      {waited} so far, about {formatClock(Date.parse(expectedAt) - nowMs)} more
    </>
  );
}
