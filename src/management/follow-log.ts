import { Readable } from 'node:stream';
import type { RunnerId } from '../../machines/vocabulary.ts';
import { type ManagementParts } from './parts.ts';
import { ledgerOf } from '../ledger-of.ts';

/** Text that a slow reader may have waiting for it, in bytes; lines beyond that are left out. */
const MOST_WAITING_BYTES = 256 * 1024;

/** A runner's log as text: its last lines, then each further one, until the runner has gone or the reader leaves. */
export function followLog(
  { logs, scheduler }: Pick<ManagementParts, 'logs' | 'scheduler'>,
  runnerId: RunnerId,
  lines: number,
): Readable {
  const isGone = (): boolean => !ledgerOf(scheduler).runners.has(runnerId);
  let leftOut = 0;
  const text = new Readable({
    highWaterMark: MOST_WAITING_BYTES,
    encoding: 'utf8',
    read: () => {},
    destroy: (error, done) => {
      stop();
      done(error);
    },
  });
  const say = (line: string): void => {
    if (text.readableLength >= MOST_WAITING_BYTES) return void leftOut++;
    const gap = leftOut > 0 ? `[${leftOut} lines left out]\n` : '';
    leftOut = 0;
    text.push(`${gap}${line}\n`);
  };
  for (const line of logs.tail(runnerId, lines)) say(line);
  const unsubscribe = logs.subscribe(runnerId, say);
  const check = (): void => {
    if (!isGone()) return;
    stop();
    text.push(null);
  };
  // The last report of a runner comes just before its burial: its end is seen at the scheduler's next snapshot.
  const watching = scheduler.subscribe(check);
  const stop = (): void => {
    unsubscribe();
    watching.unsubscribe();
  };
  check();
  return text;
}
