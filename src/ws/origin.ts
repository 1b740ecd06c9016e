import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a WebSocket may be opened from where this comes from. Browsers let every page open one to any address and say which
 * page it is: it has to be one of ours, or one that is listed (`https://example.org`). Programs name no origin.
 */
export function isOriginAllowed({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
