import { followActors } from '../charts/follow-actors.ts';
import type { Scheduler } from '../ledger-of.ts';
import { momentOf } from '../time-of-day.ts';
import type { Entry } from './protocol.ts';
import type { Follow } from './stream-source.ts';

/** Each event that actors send to each other, while somebody follows. */
export const actorEvents =
  (scheduler: Scheduler, now: () => number): Follow<Entry<'events'>> =>
  (push) =>
    followActors(scheduler, (event) => push({ at: momentOf(now()), ...event }));
