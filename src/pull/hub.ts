import { request, type Dispatcher } from 'undici';
import { HubError, problemOf } from './hub-error.ts';

const MOST_REDIRECTS = 5;
/** Without a byte for this long, a connection is taken for lost. */
const SILENCE_MS = 30_000;

/** Where models are pulled from. */
export interface Hub {
  /** Without a slash at its end: `https://huggingface.co`. */
  readonly endpoint: string;
  /** Only ever sent to the endpoint itself, not to the hosts that it redirects to. */
  readonly token: string | null;
  readonly dispatcher: Dispatcher;
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';

/** The hub that the environment names: `HF_ENDPOINT`, `HF_TOKEN`. Throws an Error when the endpoint is no address. */
export function hubOf(env: NodeJS.ProcessEnv, dispatcher: Dispatcher): Hub {
  const endpoint = (env['HF_ENDPOINT'] || DEFAULT_ENDPOINT).replace(/\/+$/, '');
  if (!/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : ''))
    throw new Error(`HF_ENDPOINT is no http(s) address: ${endpoint}`);
  return { endpoint, token: env['HF_TOKEN']?.trim() || null, dispatcher };
}

export interface HubAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Dispatcher.ResponseData['body'];
}

/**
 * Asks the hub and follows its redirects. Throws a `HubError` for an answer that is none; 416 is one, as it is about what has
 * been downloaded before.
 */
export async function askHub(
  hub: Hub,
  address: string,
  { headers = {}, signal }: { headers?: Readonly<Record<string, string>>; signal?: AbortSignal },
): Promise<HubAnswer> {
  const home = new URL(hub.endpoint).origin;
  let url = new URL(address);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const isHome = url.origin === home;
    const answer = await request(url, {
      dispatcher: hub.dispatcher,
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      ...(signal && { signal }),
      headers: {
        'user-agent': 'corral',
        // Ranges count bytes of the file, so it has to come as it is.
        'accept-encoding': 'identity',
        ...headers,
        ...(isHome && hub.token !== null && { authorization: `Bearer ${hub.token}` }),
      },
    });
    const { statusCode: status, body } = answer;
    const next = status >= 300 && status < 400 ? one(answer.headers['location']) : undefined;
    if (next === undefined) {
      if (status < 300 || status === 416) return { status, headers: answer.headers, body };
      await body.dump();
      throw problemOf(status, one(answer.headers['retry-after']), { hasToken: hub.token !== null, address });
    }
    await body.dump();
    const target = URL.canParse(next, url.href) ? new URL(next, url) : null;
    if (target === null || (url.protocol === 'https:' && target.protocol !== 'https:'))
      throw new HubError(`${url.host} redirects to a place that is not safe.`);
    url = target;
  }
  throw new HubError(`${address} redirects more than ${MOST_REDIRECTS} times.`);
}

/** The first value of a header. */
export const one = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : header?.[0];
