import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Shape } from './schemas.ts';

/** One request, with all its parts checked. */
export interface Call<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

export interface Reply<Body> {
  readonly status: number;
  readonly body: Body;
}

export type MediaType = 'application/json' | 'text/csv' | 'application/jsonl' | 'text/html' | 'text/plain';

/** One route under `/api/v1`: how it is described, checked, and answered. The OpenAPI document is made from these. */
export interface Operation {
  readonly method: 'GET' | 'POST';
  /** As OpenAPI writes it: `/models/{name}`. */
  readonly path: string;
  readonly id: string;
  readonly tag: 'Service' | 'Models' | 'Runners' | 'Documentation';
  readonly summary: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: z.ZodObject;
  readonly answer: z.ZodType;
  readonly type: MediaType;
  /** What each status of a good answer means. */
  readonly statuses: Readonly<Record<number, string>>;
  /** The statuses of problems that are its own. */
  readonly problems: readonly number[];
  handle(call: Call<object, object, object>): Reply<unknown> | Promise<Reply<unknown>>;
}

const nothing = z.strictObject({});
type Nothing = typeof nothing;

/** An operation whose handler has the types of its schemas. What it does not name is: no parameters, JSON, no problems. */
export function operation<
  Answer extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodObject = Nothing,
>(
  given: Pick<Operation, 'method' | 'path' | 'id' | 'tag' | 'summary' | 'statuses'> & {
    readonly params?: Params;
    readonly query?: Query;
    readonly body?: Body;
    readonly answer: Answer;
    readonly type?: MediaType;
    readonly problems?: readonly number[];
    handle(
      call: Call<z.output<Params>, z.output<Query>, z.output<Body>>,
    ): Reply<Shape<Answer> | Readable> | Promise<Reply<Shape<Answer>>>;
  },
): Operation {
  const rest = {
    params: nothing,
    query: nothing,
    body: nothing,
    type: 'application/json',
    problems: [],
  } as const;
  return { ...rest, ...given };
}

export const ok = <Body>(body: Body): Reply<Body> => ({ status: 200, body });
/** It has been begun; what becomes of it is seen later. */
export const accepted = <Body>(body: Body): Reply<Body> => ({ status: 202, body });

/** A whole number in a query string. */
export const wholeNumber = (least: number, most: number): z.ZodType<number> =>
  z.preprocess(
    (text) => (typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text),
    z.int().min(least).max(most),
  );

/** `true` or `false` in a query string. */
export const flag = (): z.ZodType<boolean> =>
  z.preprocess((text) => (text === 'true' ? true : text === 'false' ? false : text), z.boolean());
