import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long browsers remember a leave, in seconds. */
const REMEMBER_S = 600;

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/** What a page may read besides the headers that every page may. */
const exposed = [
  'X-Corral-Runner',
  'X-Corral-Wait-Ms',
  'X-Corral-Load-Ms',
  'X-Corral-Ignored',
  'Retry-After',
  'X-Should-Retry',
  'WWW-Authenticate',
].join(', ');

/** Lets pages of this origin read what is answered. */
export const letRead = (response: ServerResponse, origin: string): void => {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', exposed);
  response.setHeader('vary', 'origin');
};

/** A browser that asks, for a page, whether a request may be sent. */
export const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

/** Says yes: whoever asks is on the list. */
export const answerPreflight = ({ headers }: IncomingMessage, response: ServerResponse): void => {
  const asked = headers['access-control-request-headers'];
  response.writeHead(204, {
    'access-control-allow-methods': methods,
    ...(asked !== undefined && { 'access-control-allow-headers': asked }),
    'access-control-max-age': String(REMEMBER_S),
    // Chrome asks this of a public page that calls a private address.
    ...(headers['access-control-request-private-network'] === 'true' && {
      'access-control-allow-private-network': 'true',
    }),
    vary: 'origin, access-control-request-headers, access-control-request-private-network',
  });
  response.end();
};
