import { Client, type Dispatcher } from 'undici';
import type { Endpoint } from '../../machines/vocabulary.ts';
import { runnerConnector } from './connect-runner.ts';

/** A short question: over a connection of its own, since a kept one could hide that nobody accepts new ones. */
export interface Question {
  /** Absent: GET. */
  readonly method?: 'GET' | 'POST';
  /** JSON. */
  readonly body?: string;
  readonly path: string;
  /** `/health` is answered to anybody. */
  readonly withKey: boolean;
  readonly signal: AbortSignal;
}

/** Asks a runner something, and hands its whole answer on. Rejects when there is none. */
export async function askRunner<Answer>(
  endpoint: Endpoint,
  { method = 'GET', path, body, withKey, signal }: Question,
  read: (answer: Dispatcher.ResponseData) => Promise<Answer>,
): Promise<Answer> {
  const client = new Client(endpoint.baseUrl, { connect: runnerConnector(endpoint) });
  try {
    return await read(
      await client.request({
        method,
        path,
        reset: true,
        headers: {
          ...(withKey && { authorization: `Bearer ${endpoint.apiKey}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body }),
        signal,
      }),
    );
  } finally {
    client.destroy().catch(() => {}); // fails only if it is destroyed already
  }
}
