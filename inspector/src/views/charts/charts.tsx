import { computed } from '@preact/signals';
import { useMemo, useRef, useState } from 'preact/hooks';
import { shownCharts } from '../../history/player.ts';
import type { Actor, ActorEvent } from '../../live/picture.ts';
import { shown } from '../../live/shown.ts';
import { route, setQuery } from '../../shell/route.ts';
import { ActorPicker } from './actor-picker.tsx';
import { ChartPanel } from './chart-panel.tsx';
import './charts.css';
import { EventDetails } from './event-details.tsx';
import { litBy } from './lit.ts';
import { Sequence } from './sequence/sequence.tsx';

/** An actor's chart with its state lit, and what the actors send to each other. */
export function Charts() {
  const actors = shown.actors.value;
  const id = route.value.query.get('actor') ?? firstChoice(actors);
  const actor = actors.find((one) => one.id === id) ?? null;
  const chart = shownCharts.value.find((one) => one.id === chartOf(id, actor)) ?? null;
  const [picked, setPicked] = useState<ActorEvent | null>(null);
  const last = useLastEvent(id);
  const event = picked ?? last;
  const isOfThis = event?.to === id;
  const state = picked && isOfThis ? picked.effect.after : (actor?.state ?? last?.effect.after ?? null);
  const lit = useMemo(() => litBy(state, isOfThis ? event : null), [state, isOfThis, event]);
  const turn = useTurn(event);
  const pick = (one: ActorEvent | null): void => {
    setPicked(one);
    if (one?.effect.after != null && one.to !== id) setQuery({ actor: one.to });
  };
  return (
    <div class="charts">
      <h1 class="unseen">Charts</h1>
      <div class="charts-head">
        <ActorPicker
          actors={actors}
          actor={id}
          onPick={(next) => {
            setPicked(null);
            setQuery({ actor: next });
          }}
        />
        <p class="charts-state" data-over={actor?.isOver}>
          <code>{state ?? 'not there'}</code>
        </p>
      </div>
      {chart ? (
        <ChartPanel chart={chart} actor={id} lit={lit} turn={turn} />
      ) : (
        <p class="empty">
          {shownCharts.value.length === 0 ? 'Waiting for the charts…' : `${id} is not known.`}
        </p>
      )}
      <div class="charts-beside">
        <EventDetails event={event} isPicked={picked !== null} onClose={() => setPicked(null)} />
        <Sequence actor={id} selected={picked} onSelect={pick} />
      </div>
    </div>
  );
}

/** A runner, if there is one. */
const firstChoice = (actors: readonly Actor[]): string =>
  actors.find(({ chart, isOver }) => chart === 'runner' && !isOver)?.id ?? 'scheduler';

/** The name says it where the actor is no longer told. */
const chartOf = (id: string, actor: Actor | null): string =>
  actor?.chart ?? /^(runner|model)(?=[-:])/.exec(id)?.[0] ?? id;

/** The last event that an actor with a chart was sent. */
function useLastEvent(id: string): ActorEvent | null {
  const last = useMemo(
    () =>
      computed(
        () => shown.events.value.findLast(({ to, effect }) => to === id && effect.after !== null) ?? null,
      ),
    [id],
  );
  return last.value;
}

/** Goes up with each other event. */
function useTurn(event: ActorEvent | null): number {
  const turn = useRef({ event, count: 0 });
  if (turn.current.event !== event) turn.current = { event, count: turn.current.count + 1 };
  return turn.current.count;
}
