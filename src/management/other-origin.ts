import type { IncomingMessage } from 'node:http';

/**
 * Whether a command comes from a page that was not served from here: any page in a browser can send requests to
 * 127.0.0.1, and there is no password that it would lack. Programs send neither header.
 */
export function isFromAnotherOrigin({ method, headers }: IncomingMessage): boolean {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, host } = headers;
  return origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host);
}
