import type { IncomingHttpHeaders } from 'node:http';
import { KEY_SUBPROTOCOL } from '../ws/wire.ts';

const BEARER = /^bearer +(\S+)$/i;
const BASIC = /^basic +([\w+/=-]+)$/i;

/**
 * The key that a client shows; null when it shows none. `Authorization: Bearer KEY` is OpenAI's and Ollama's way, `X-Api-Key`
 * Anthropic's. Browsers cannot set headers on a WebSocket: they offer the subprotocol `corral.key.` with the key in base64url,
 * beside `corral.v1`. Programs that know no more than an address may have it there as the password, `ws://:KEY@host/inspect`: that is
 * sent as `Basic`. It is not taken from the address itself, since addresses are logged.
 */
export function presentedKey(headers: IncomingHttpHeaders): string | null {
  const bearer = headers.authorization && BEARER.exec(headers.authorization)?.[1];
  if (bearer) return bearer;
  const basic = headers.authorization && BASIC.exec(headers.authorization)?.[1];
  if (basic)
    return Buffer.from(basic, 'base64')
      .toString()
      .replace(/^[^:]*:/, '');
  const plain = headers['x-api-key'];
  if (typeof plain === 'string' && plain !== '') return plain;
  const offered = headers['sec-websocket-protocol'];
  if (offered === undefined) return null;
  const key = offered
    .split(',')
    .map((name) => name.trim())
    .find((name) => name.startsWith(KEY_SUBPROTOCOL));
  return key === undefined ? null : Buffer.from(key.slice(KEY_SUBPROTOCOL.length), 'base64url').toString();
}
