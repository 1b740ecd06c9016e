import type { IncomingMessage } from 'node:http';
import type { KeepAlive, Priority } from '../../machines/vocabulary.ts';
import { standingOf, type Standing } from '../auth/caller-names.ts';
import { parseDuration } from '../config/parse-duration.ts';
import { badRequest, RequestError } from './openai-errors.ts';

/** What a client may wish of the scheduler, whichever API it speaks. */
export interface LeaseWishes {
  readonly priority?: Priority;
  readonly keepAlive?: KeepAlive;
  /** How far its key lets it go before others; absent: as far as it likes. */
  readonly standing?: Standing;
}

const priorities: readonly string[] = ['interactive', 'normal', 'batch'] satisfies Priority[];

/** The wishes in the headers `X-Corral-Priority` and `X-Corral-Keep-Alive`. Throws a `RequestError` (400) for others. */
export const leaseWishes = (request: IncomingMessage): LeaseWishes => {
  const { headers } = request;
  const standing = standingOf(request);
  const priority = headers['x-corral-priority'];
  const keepAlive = headers['x-corral-keep-alive'];
  return {
    ...(priority !== undefined && { priority: priorityOf(String(priority)) }),
    ...(keepAlive !== undefined && { keepAlive: keepAliveOf(String(keepAlive), 'X-Corral-Keep-Alive') }),
    ...(standing && { standing }),
  };
};

const priorityOf = (text: string): Priority => {
  if (priorities.includes(text)) return text as Priority;
  throw refusal('X-Corral-Priority', text, `one of ${priorities.join(', ')}`);
};

/** A keep-alive as clients write it: seconds, `5m`, `1h30m`, or anything negative for ever. `field` is told in errors. */
export const keepAliveOf = (value: string | number, field: string): KeepAlive => {
  const ms = parseDuration(value);
  if (ms === null) throw refusal(field, String(value), 'seconds, a duration such as 5m, or -1 for ever');
  return ms === Infinity ? 'forever' : ms;
};

const refusal = (field: string, value: string, expected: string): RequestError => {
  const told = JSON.stringify(value.slice(0, 40));
  return new RequestError(
    badRequest(`${field} is ${told}; it has to be ${expected}.`, 'invalid_value', { param: field }),
  );
};
