import type { IncomingMessage } from 'node:http';
import { KEY_SUBPROTOCOL } from './wire.ts';

const BEARER = /^bearer +(\S+)$/i;

/**
 * The key that a client has shown; null when it has shown none. Programs send `Authorization: Bearer KEY`. Browsers cannot set
 * headers on a WebSocket: they offer the subprotocol `corral.key.` with the key in base64url, beside `corral.v1`. It is not taken
 * from the address, since addresses are logged.
 */
export function presentedKey({ headers }: Pick<IncomingMessage, 'headers'>): string | null {
  const bearer = BEARER.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const key = offered.find((name) => name.startsWith(KEY_SUBPROTOCOL));
  return key === undefined ? null : Buffer.from(key.slice(KEY_SUBPROTOCOL.length), 'base64url').toString();
}
