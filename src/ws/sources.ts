import { allCharts } from '../charts/all-charts.ts';

import { decisionEntry } from '../management/views.ts';
import { actorEvents } from './actor-events.ts';
import { ActorTable } from './actor-table.ts';
import { runnerRow, waitRows } from './ledger-rows.ts';
import { ListSource } from './list-source.ts';
import { modelLog, runnerLog, terminal } from './logs.ts';
import { momentOf } from '../time-of-day.ts';
import type { WsParts } from './parts.ts';
import type { Row, Topic, TopicParams } from './protocol.ts';
import type { Source, Watch } from './source.ts';
import { SpeedWatch } from './speed-watch.ts';
import { StreamSource, type Bounds } from './stream-source.ts';
import { modelRows } from './views.ts';
import { ledgerOf } from '../ledger-of.ts';

/** What a snapshot of a stream has at most: some hundred KiB, so that a reader who has caught up can take it at once. */
const bounds: Bounds = { entries: 500, size: 256 * 1024 };
const manyPieces: Bounds = { ...bounds, entries: 10_000 };

type Opens = { readonly [T in Topic]: (params: TopicParams<T>, touch: () => void) => Source };

/** Where the content of each topic comes from. Throws a `ProblemError` or a `ServiceError` where there is no such thing. */
export function sourcesOf(parts: WsParts): Opens {
  const { scheduler } = parts;
  const ledger = () => ledgerOf(parts.scheduler);
  const watchScheduler: Watch = (touch) => {
    const watching = scheduler.subscribe({ next: touch, complete: touch });
    return () => watching.unsubscribe();
  };
  const list =
    <T extends 'runners' | 'queue' | 'devices' | 'models'>(read: () => Row<T>[]) =>
    (_: unknown, touch: () => void) =>
      new ListSource(read, touch, watchScheduler);
  const never: Watch = () => () => {};

  return {
    runners: list<'runners'>(() =>
      [...ledger().runners.values()].map((runner) => runnerRow(runner, momentOf)),
    ),
    queue: list<'queue'>(() => waitRows(ledger(), momentOf)),
    devices: list<'devices'>(() => [...parts.status().devices]),
    models: list<'models'>(() => modelRows(parts.catalogue, ledger())),
    speeds: (_, touch) => {
      const speeds = new SpeedWatch(() => ledger().runners.values());
      return new ListSource(
        () => speeds.rows,
        touch,
        (told) => speeds.start(told),
      );
    },
    charts: (_, touch) => new ListSource(allCharts, touch, never),
    actors: (_, touch) => {
      const table = new ActorTable(scheduler);
      return new ListSource(() => table.rows(), touch, table.watch);
    },
    decisions: (_, touch) =>
      new StreamSource(
        parts.decisions().map(decisionEntry),
        (push) => {
          const watching = scheduler.on('decision', ({ record }) => push(decisionEntry(record)));
          return () => watching.unsubscribe();
        },
        touch,
        bounds,
        ({ reason }) => 300 + reason.length,
      ),
    activity: (_, touch) =>
      new StreamSource(
        parts.activity.latest(),
        (push) => parts.activity.subscribe(push),
        touch,
        { ...bounds, size: 512 * 1024 },
        ({ path, model }) => 500 + path.length + (model?.length ?? 0),
      ),
    events: (_, touch) =>
      new StreamSource([], actorEvents(scheduler, ledger().now), touch, bounds, () => 400),
    log: ({ runnerId, model = '' }, touch) => {
      const { past, follow } = runnerId === undefined ? modelLog(parts, model) : runnerLog(parts, runnerId);
      return new StreamSource(past, follow, touch, bounds, ({ text }) => 50 + text.length);
    },
    terminal: ({ runnerId }, touch) => {
      const { past, follow } = terminal(parts, runnerId);
      return new StreamSource(past, follow, touch, manyPieces, ({ length }) => length);
    },
  };
}
