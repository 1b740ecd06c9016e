/** The names that both sides use. No imports: pages load this. */

/** The version of the protocol, in each message. */
export const V = 1;

/** Where the WebSocket is. */
export const WS_PATH = '/api/v1/ws';

/** The subprotocol that is agreed on; a client that names none may speak, too. */
export const SUBPROTOCOL = 'corral.v1';

/** With a key in base64url behind it: a subprotocol by which a page shows its key. */
export const KEY_SUBPROTOCOL = 'corral.key.';
