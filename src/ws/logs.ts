import type { LoggedLine } from '../../actors/process/runner-logs.ts';
import type { RunnerId } from '../../machines/vocabulary.ts';

import { ProblemError } from '../management/problem.ts';
import type { WsParts } from './parts.ts';
import type { Entry } from './protocol.ts';
import type { Follow } from './stream-source.ts';
import { ledgerOf } from '../ledger-of.ts';

type Line = Entry<'log'>;

interface Log<T> {
  readonly past: readonly T[];
  readonly follow: Follow<T>;
}

/** What one runner prints, line by line. */
export function runnerLog(parts: WsParts, runnerId: RunnerId): Log<Line> {
  assertPrints(parts, runnerId);
  return {
    past: linesOf(parts, runnerId),
    follow: (push) => parts.logs.subscribe(runnerId, (text, atMs) => push(entryOf(runnerId, { text, atMs }))),
  };
}

/** What the runners of one model print: of those that are there, and of those that are still to come. */
export function modelLog(parts: WsParts, nameOrAlias: string): Log<Line> {
  const { name } = parts.catalogue.find(nameOrAlias);
  const runners = (): RunnerId[] =>
    ledgerOf(parts.scheduler)
      .runnersOf(name)
      .map(({ id }) => id);
  const past = runners().flatMap((id) => linesOf(parts, id));
  return { past, follow: (push) => followRunners(parts, runners, push) };
}

function followRunners(parts: WsParts, runners: () => RunnerId[], push: (line: Line) => void): () => void {
  const followed = new Map<RunnerId, () => void>();
  const follow = (runnerId: RunnerId): void => {
    const stop = parts.logs.subscribe(runnerId, (text, atMs) => push(entryOf(runnerId, { text, atMs })));
    followed.set(runnerId, stop);
  };
  const update = (): void => {
    const present = new Set(runners());
    for (const [id, stop] of followed) {
      if (present.has(id)) continue;
      stop();
      followed.delete(id);
    }
    for (const id of present) {
      if (followed.has(id)) continue;
      // What it printed before it was noticed.
      for (const line of linesOf(parts, id)) push(line);
      follow(id);
    }
  };
  for (const id of runners()) follow(id);
  const watching = parts.scheduler.on('runner.changed', update);
  return () => {
    watching.unsubscribe();
    for (const stop of followed.values()) stop();
  };
}

/** What one runner writes to its terminal, as it comes. */
export function terminal(parts: WsParts, runnerId: RunnerId): Log<string> {
  assertPrints(parts, runnerId);
  const { logs } = parts;
  return {
    past: [logs.terminal(runnerId)].filter((text) => text !== ''),
    follow: (push) => logs.subscribeTerminal(runnerId, push),
  };
}

const linesOf = ({ logs }: WsParts, runnerId: RunnerId): Line[] =>
  logs.lines(runnerId).map((line) => entryOf(runnerId, line));

const entryOf = (runnerId: RunnerId, { text, atMs }: LoggedLine): Line => ({
  runnerId,
  text,
  at: new Date(atMs).toISOString(),
});

/** Only a runner that is there, or whose log is still kept, has anything to follow. */
function assertPrints(parts: WsParts, runnerId: RunnerId): void {
  if (ledgerOf(parts.scheduler).runners.has(runnerId) || parts.logs.tail(runnerId, 1).length > 0) return;
  throw new ProblemError(404, 'runner_not_found', `There is no runner '${runnerId}'.`);
}
