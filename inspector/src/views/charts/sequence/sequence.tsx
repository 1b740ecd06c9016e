import { useMemo, useState } from 'preact/hooks';
import type { ActorEvent } from '../../../live/picture.ts';
import { shown } from '../../../live/shown.ts';
import { EventList } from './event-list.tsx';
import { filterEvents, type EventFilter } from './lanes.ts';
import './sequence.css';

interface Props {
  /** The actor whose chart is looked at. */
  readonly actor: string;
  readonly selected: ActorEvent | null;
  readonly onSelect: (event: ActorEvent | null) => void;
}

/** Who sent what to whom, as it happens: filtered, and stopped when somebody wants to read. */
export function Sequence({ actor, selected, onSelect }: Props) {
  const events = shown.events.value;
  const [type, setType] = useState('');
  const [onlyThis, setOnlyThis] = useState(true);
  const [stopped, setStopped] = useState<readonly ActorEvent[] | null>(null);
  const filter: EventFilter = { actor: onlyThis ? actor : '', type };
  const all = stopped ?? events;
  const kept = useMemo(() => filterEvents(all, filter), [all, filter.actor, filter.type]);
  const missed = stopped ? newSince(stopped, events) : 0;
  return (
    <section class="sequence" aria-label="Events between actors">
      <div class="sequence-tools">
        <label>
          <input
            type="checkbox"
            checked={onlyThis}
            onChange={({ currentTarget }) => setOnlyThis(currentTarget.checked)}
          />
          only {actor}
        </label>
        <input
          type="search"
          placeholder="type of event"
          aria-label="Only events whose type has this in it"
          value={type}
          onInput={({ currentTarget }) => setType(currentTarget.value)}
        />
        <button
          type="button"
          aria-pressed={stopped !== null}
          onClick={() => setStopped(stopped === null ? events : null)}
        >
          {stopped === null ? 'Pause' : 'Go on'}
        </button>
        <span class="sequence-count">
          {kept.length} {kept.length === 1 ? 'event' : 'events'}
          {missed > 0 && `, ${missed}${missed === events.length ? ' or more' : ''} since`}
        </span>
      </div>
      <div class="events-frame">
        <EventList of={filter.actor} events={kept} selected={selected} onSelect={onSelect} />
        {kept.length === 0 && <p class="empty events-none">No such event yet.</p>}
      </div>
    </section>
  );
}

/** How many events came after the last one of those known before. */
function newSince(before: readonly ActorEvent[], now: readonly ActorEvent[]): number {
  const last = before.at(-1);
  if (!last) return now.length;
  const at = now.lastIndexOf(last);
  return now.length - 1 - at;
}
