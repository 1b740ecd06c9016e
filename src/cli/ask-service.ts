import { request, type Dispatcher } from 'undici';
import type { ProblemDetails } from '../management/schemas.ts';
import type { ServiceAddress } from './service-address.ts';

const WITHIN_MS = 5_000;

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
export async function askService<T>(address: ServiceAddress, path: string): Promise<T> {
  return answerOf(address, await reach(address, path, { signal: AbortSignal.timeout(WITHIN_MS) }));
}

/** Sends a command. With `isPatient` the answer may take as long as it takes. */
export async function tellService<T>(
  address: ServiceAddress,
  path: string,
  body: object = {},
  isPatient = false,
): Promise<T> {
  const answer = await reach(address, path, {
    method: 'POST',
    body: JSON.stringify(body),
    ...(isPatient ? { headersTimeout: 0 } : { signal: AbortSignal.timeout(WITHIN_MS) }),
  });
  return answerOf(address, answer);
}

/** Text as it comes, for as long as there is any. */
export async function followService(address: ServiceAddress, path: string): Promise<AsyncIterable<string>> {
  const answer = await reach(address, path, { bodyTimeout: 0 });
  if (answer.statusCode !== 200) await answerOf(address, answer);
  return answer.body.setEncoding('utf8');
}

async function reach(
  { url, key, dispatcher }: ServiceAddress,
  path: string,
  options: Omit<Dispatcher.RequestOptions, 'path' | 'method' | 'headers'> & {
    method?: Dispatcher.HttpMethod;
  },
): Promise<Dispatcher.ResponseData> {
  try {
    return await request(`${url}${path}`, {
      ...options,
      headers: {
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== null && { authorization: `Bearer ${key}` }),
      },
      ...(dispatcher && { dispatcher }),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `No Corral answers at ${url} (${reason}). Start one with \`corral serve\`, or name its configuration with --config.`,
      { cause },
    );
  }
}

async function answerOf<T>(
  { url, key }: ServiceAddress,
  { statusCode, headers, body }: Dispatcher.ResponseData,
): Promise<T> {
  const text = await body.text();
  if (statusCode < 300) return JSON.parse(text) as T;
  if (statusCode === 401) throw new Refused({ detail: keyHint(url, key !== null), code: 'unauthorized' });
  if (String(headers['content-type']).startsWith('application/problem+json'))
    throw new Refused(JSON.parse(text) as ProblemDetails);
  throw new Error(`What answers there is no Corral that this one knows: ${statusCode} ${text.slice(0, 200)}`);
}

const keyHint = (url: string, hasKey: boolean): string =>
  hasKey
    ? `The Corral at ${url} does not know this key (from CORRAL_API_KEY, or client.keyFile in its configuration).`
    : `The Corral at ${url} asks for a key: set CORRAL_API_KEY, or client.keyFile in its configuration. \`corral key\` makes one.`;
