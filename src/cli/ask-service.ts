import { request, type Dispatcher } from 'undici';
import type { Config } from '../config/schema.ts';
import type { ProblemDetails } from '../management/schemas.ts';

const WITHIN_MS = 5_000;

/** A running Corral's address, as the configuration has it. */
export function addressOf({ listen }: Config): string {
  const host = listen.host === '0.0.0.0' || listen.host === '::' ? '127.0.0.1' : listen.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
}

/** Where the management API has a model or a runner; names may hold slashes. */
export const modelPath = (name: string): string => `/api/v1/models/${encodeURIComponent(name)}`;
export const runnerPath = (id: string): string => `/api/v1/runners/${encodeURIComponent(id)}`;

/** A running Corral said no: the message is its own. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;

  constructor({ detail, code }: Pick<ProblemDetails, 'detail' | 'code'>) {
    super(detail);
    this.code = code;
  }
}

/** Asks a running Corral. Throws with what to do when none answers, and a `Refused` when it says no. */
export async function askService<T>(address: string, path: string): Promise<T> {
  return answerOf(await reach(address, path, { signal: AbortSignal.timeout(WITHIN_MS) }));
}

/** Sends a command. With `isPatient` the answer may take as long as it takes. */
export async function tellService<T>(
  address: string,
  path: string,
  body: object = {},
  isPatient = false,
): Promise<T> {
  const answer = await reach(address, path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
    ...(isPatient ? { headersTimeout: 0 } : { signal: AbortSignal.timeout(WITHIN_MS) }),
  });
  return answerOf(answer);
}

/** Text as it comes, for as long as there is any. */
export async function followService(address: string, path: string): Promise<AsyncIterable<string>> {
  const answer = await reach(address, path, { bodyTimeout: 0 });
  if (answer.statusCode !== 200) await answerOf(answer);
  return answer.body.setEncoding('utf8');
}

async function reach(
  address: string,
  path: string,
  options: Omit<Dispatcher.RequestOptions, 'path' | 'method'> & { method?: Dispatcher.HttpMethod },
): Promise<Dispatcher.ResponseData> {
  try {
    return await request(`${address}${path}`, options);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `No Corral answers at ${address} (${reason}). Start one with \`corral serve\`, or name its configuration with --config.`,
      { cause },
    );
  }
}

async function answerOf<T>({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<T> {
  const text = await body.text();
  if (statusCode < 300) return JSON.parse(text) as T;
  if (String(headers['content-type']).startsWith('application/problem+json'))
    throw new Refused(JSON.parse(text) as ProblemDetails);
  throw new Error(`What answers there is no Corral that this one knows: ${statusCode} ${text.slice(0, 200)}`);
}
