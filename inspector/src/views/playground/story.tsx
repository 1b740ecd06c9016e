import { live } from '../../live/live.ts';
import type { Decision } from '../../live/picture.ts';
import { DecisionLine } from '../../parts/decision-line.tsx';
import { storyOf } from '../../parts/decision-words.ts';
import type { Turn } from './conversation.ts';

/** What the scheduler did for a request: the decisions about its model, and those that made room for it, from then on. */
export function Story({ turn }: { readonly turn: Turn }) {
  const about = storyOf(live.decisions.value, true).filter((decision) => isAbout(decision, turn));
  if (about.length === 0)
    return <p class="empty">{turn.state === 'waiting' ? 'Nothing yet.' : 'Nothing had to be decided.'}</p>;
  return (
    <ol class="story">
      {about.toReversed().map((decision) => (
        <DecisionLine key={decision.seq} decision={decision} />
      ))}
    </ol>
  );
}

function isAbout({ seq, model, reason, kind, at }: Decision, turn: Turn): boolean {
  if (seq <= turn.decisionsAfter) return false;
  if (turn.endedAtMs !== null && Date.parse(at) > performance.timeOrigin + turn.endedAtMs + SLACK_MS)
    return false;
  return model === turn.model || (kind === 'evict' && reason.includes(turn.model));
}

/** How far the server's clock may be from the page's. */
const SLACK_MS = 500;
