import { validateHeaderName, validateHeaderValue, type IncomingHttpHeaders } from 'node:http';
import { errors } from 'undici';

/** What a reason phrase may consist of (RFC 9112, section 4). */
const PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** How many times a reply may be announced before it comes. */
export const MAX_INTERIM_REPLIES = 32;

/** What is wrong with the head of a reply, so that it cannot be passed on; null when nothing is. */
export function faultOfHead(status: number, headers: IncomingHttpHeaders, phrase = ''): string | null {
  if (status < 100 || status > 599) return `its status is ${status}`;
  if (!PHRASE.test(phrase)) return 'its status line holds control characters';
  for (const [name, value = ''] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      for (const one of Array.isArray(value) ? value : [value]) validateHeaderValue(name, one);
    } catch {
      return `its header ${JSON.stringify(name.slice(0, 40))} holds what no header may`;
    }
  }
  return null;
}

/**
 * What an error of a connection says against the reply that came over it, of which the head was read or not; null where the
 * connection itself was lost, which says nothing of the reply.
 */
export function faultOfError(error: Error, hasHead: boolean): string | null {
  if (error instanceof errors.HeadersOverflowError) return 'its headers are too large';
  if (error instanceof errors.HTTPParserError) return ENDS_EARLY.test(error.message) ? null : error.message;
  if (!hasHead && error instanceof errors.ResponseContentLengthMismatchError)
    return 'it does not say once how long it is';
  return UNASKED[error.message] ?? null;
}

const ENDS_EARLY = /EOF/;

/** Undici's words for what it does not take. */
const UNASKED: Readonly<Record<string, string>> = {
  'bad response': 'it says to go on with a request that it has, or answers none',
  'bad upgrade': 'it changes to a protocol that nobody asked for',
};
