import { seek } from '../../history/player.ts';
import type { ActorEvent } from '../../live/picture.ts';
import { shortType } from './sequence/lanes.ts';

/** After so long an event has been told, and taken in. */
const TOLD_WITHIN_MS = 150;

interface Props {
  /** Null when there was none yet. */
  readonly event: ActorEvent | null;
  /** It was picked, and is not just the last one. */
  readonly isPicked: boolean;
  readonly onClose: () => void;
}

/** One event: what it carried, and its receiver before and after it. */
export function EventDetails({ event, isPicked, onClose }: Props) {
  if (!event)
    return (
      <section class="event-details" aria-label="The last event">
        <p class="event-note">No event yet since the page is open.</p>
      </section>
    );
  const { at, from, to, type, data, effect } = event;
  const changed = Object.entries(effect.changed);
  return (
    <section class="event-details" tabIndex={0} aria-label={isPicked ? 'The picked event' : 'The last event'}>
      <header>
        <h2>
          <code>{shortType(type)}</code>
        </h2>
        <p>
          {from ?? 'outside'} → {to}
          <time dateTime={at}> {at.slice(11, 23)}</time>
        </p>
        {isPicked && (
          <>
            <button type="button" onClick={() => seek(Date.parse(at) + TOLD_WITHIN_MS)}>
              Show this moment
            </button>
            <button type="button" onClick={onClose}>
              Close
            </button>
          </>
        )}
      </header>
      <dl>
        {Object.entries(data).map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
      {effect.after === null ? (
        <p class="event-note">{to} has no chart.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span class="unseen">Of {to}</span>
              </th>
              <th scope="col">before</th>
              <th scope="col">after</th>
            </tr>
          </thead>
          <tbody>
            <tr data-changed={effect.before !== effect.after ? '' : undefined}>
              <th scope="row">state</th>
              <td>{effect.before ?? 'not there'}</td>
              <td>{effect.after}</td>
            </tr>
            {changed.map(([key, [before, after]]) => (
              <tr key={key} data-changed="">
                <th scope="row">{key}</th>
                <td>{String(before ?? '–')}</td>
                <td>{String(after ?? '–')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
