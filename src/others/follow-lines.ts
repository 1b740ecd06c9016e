import type { RunnerId } from '../../machines/vocabulary.ts';
import { ledgerOf } from '../ledger-of.ts';
import { timeOfDay } from '../time-of-day.ts';
import type { ControlParts } from './parts.ts';

/** Corral's own decisions, what runners print, or both; of one model, or of all. */
export interface LogChoice {
  readonly sources: readonly LogSource[];
  readonly model: string | null;
}

/** As llama-swap calls them. */
export type LogSource = 'proxy' | 'upstream';

export interface LogLine {
  readonly source: LogSource;
  readonly text: string;
}

/** Lines of each runner that are told at first. */
const HISTORY_LINES = 200;

/** What was decided and printed until now, in the order of time. */
export function lastLines({ scheduler, logs, decisions }: ControlParts, choice: LogChoice): LogLine[] {
  const runners = [...ledgerOf(scheduler).runners.values()];
  const printed = choice.sources.includes('upstream')
    ? runners
        .filter(({ spec }) => isChosen(spec.name, choice))
        .flatMap(({ id }) =>
          logs.lines(id, HISTORY_LINES).map(({ text, atMs }) => ({ atMs, ...printedBy(id, text) })),
        )
    : [];
  const decided = choice.sources.includes('proxy')
    ? decisions()
        .filter(({ model }) => isChosen(model, choice))
        .slice(-HISTORY_LINES)
        .map(({ atMs, model, reason }) => ({ atMs: timeOfDay(atMs), ...decidedOf(model, reason) }))
    : [];
  return [...printed, ...decided]
    .toSorted((one, other) => one.atMs - other.atMs)
    .map(({ source, text }) => ({ source, text }));
}

/** Hears each further line, of runners to come as well; the answer ends it. `onEnd` hears when there will be no more. */
export function followLines(
  { scheduler, logs }: ControlParts,
  choice: LogChoice,
  { onLine, onEnd }: { readonly onLine: (line: LogLine) => void; readonly onEnd: () => void },
): () => void {
  const followed = new Map<RunnerId, () => void>();
  const follow = (): void => {
    const runners = ledgerOf(scheduler).runners;
    for (const [id, unsubscribe] of followed)
      if (!runners.has(id)) {
        unsubscribe();
        followed.delete(id);
      }
    for (const { id, spec } of runners.values())
      if (!followed.has(id) && isChosen(spec.name, choice))
        followed.set(
          id,
          logs.subscribe(id, (text) => onLine(printedBy(id, text))),
        );
  };
  const subscriptions = [
    scheduler.subscribe({
      next: () => {
        if (choice.sources.includes('upstream')) follow();
      },
      complete: onEnd,
    }),
  ];
  if (choice.sources.includes('upstream')) follow();
  if (choice.sources.includes('proxy'))
    subscriptions.push(
      scheduler.on('decision', ({ record: { model, reason } }) => {
        if (isChosen(model, choice)) onLine(decidedOf(model, reason));
      }),
    );
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
    for (const unsubscribe of followed.values()) unsubscribe();
  };
}

const isChosen = (name: string, { model }: LogChoice): boolean => model === null || model === name;

const printedBy = (id: RunnerId, text: string): LogLine => ({ source: 'upstream', text: `[${id}] ${text}` });

const decidedOf = (model: string, reason: string): LogLine => ({
  source: 'proxy',
  text: `[corral] ${model}: ${reason}`,
});
