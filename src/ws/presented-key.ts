import type { IncomingMessage } from 'node:http';

const BEARER = /^bearer +(\S+)$/i;
const SUBPROTOCOL_KEY = 'corral.key.';

/**
 * The key that a client has shown; null when it has shown none. Programs send `Authorization: Bearer KEY`. Browsers cannot set
 * headers on a WebSocket: they offer the subprotocol `corral.key.` with the key in base64url, beside `corral.v1`. It is not taken
 * from the address, since addresses are logged.
 */
export function presentedKey({ headers }: Pick<IncomingMessage, 'headers'>): string | null {
  const bearer = BEARER.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const key = offered.find((name) => name.startsWith(SUBPROTOCOL_KEY));
  return key === undefined ? null : Buffer.from(key.slice(SUBPROTOCOL_KEY.length), 'base64url').toString();
}
