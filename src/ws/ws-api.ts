import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { realClock, type Clock } from '../clock.ts';
import { Feeds } from './feeds.ts';
import { defaultWsLimits, type WsLimits } from './limits.ts';
import { isOriginAllowed } from './origin.ts';
import type { WsParts } from './parts.ts';
import { refuseUpgrade, takeAsPlainHttp } from './plain-http.ts';
import type { Scope } from './protocol.ts';
import { Reader } from './reader.ts';
import { commandRunner } from './run-command.ts';
import { sourcesOf } from './sources.ts';
import { SUBPROTOCOL, WS_PATH } from './wire.ts';

/** What the one who sends this may do; null when that is nothing. `presentedKey` has the key. */
export type Authorize = (request: IncomingMessage) => { readonly scopes: readonly Scope[] } | null;

export interface WsOptions {
  /** Everybody may do everything without it. */
  readonly authorize?: Authorize;
  /** Pages of other hosts that may connect: `https://example.org`. */
  readonly allowedOrigins?: readonly string[];
  readonly limits?: Partial<WsLimits>;
  /** For tests: the time of ticks, heartbeats and stalls. */
  readonly clock?: Clock;
  readonly now?: () => number;
}

export interface WsApi {
  /** Connections, and topics that are open: none are left when everybody has gone and some time has passed. */
  readonly counts: { readonly connections: number; readonly feeds: number };
  /** Says goodbye to everybody. */
  close(): void;
}

const everything: Authorize = () => ({ scopes: ['read', 'manage'] });

/** The WebSocket API at `/api/v1/ws`: what happens, as it happens, and the commands. */
export function serveWebSocket(server: Server, parts: WsParts, options: WsOptions = {}): WsApi {
  const { authorize = everything, allowedOrigins = [], now = () => performance.now() } = options;
  const clock: Clock = options.clock ?? realClock;
  const limits = { ...defaultWsLimits, ...options.limits };
  const sessionId = randomUUID();
  const readers = new Set<Reader>();
  const sources = sourcesOf(parts);
  const feeds = new Feeds(
    ({ topic, params }, touch) => sources[topic]((params ?? {}) as never, touch),
    clock,
    limits,
  );
  const run = commandRunner(parts);
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.maxMessageBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });

  const admit = (socket: WebSocket, connection: Duplex, scopes: readonly Scope[]): void => {
    const onEnd = (reader: Reader): void => void readers.delete(reader);
    const { log } = parts;
    const reader = new Reader({ socket, connection, scopes, feeds, run, clock, now, limits, log, onEnd });
    readers.add(reader);
    reader.greet(parts.version, sessionId);
  };
  const upgrade = (request: IncomingMessage, connection: Duplex, head: Buffer): void => {
    if (!isOurs(request)) return takeAsPlainHttp(server, request, connection, head);
    if (!isOriginAllowed(request.headers, allowedOrigins))
      return refuseUpgrade(connection, 403, 'other_origin', 'A page of another origin may not connect.');
    const allowed = authorize(request);
    if (!allowed) return refuseUpgrade(connection, 401, 'unauthorized', 'A valid key is needed.');
    if (!allowed.scopes.includes('read'))
      return refuseUpgrade(connection, 403, 'forbidden', 'This key may not read.');
    if (readers.size >= limits.maxConnections)
      return refuseUpgrade(connection, 503, 'too_many_connections', `${readers.size} are open already.`);
    sockets.handleUpgrade(request, connection, head, (socket) => admit(socket, connection, allowed.scopes));
  };
  const beat = (): void => {
    for (const reader of readers) reader.beat();
    feeds.sweep();
    heartbeat = clock.setTimeout(beat, limits.heartbeatMs);
  };

  let heartbeat = clock.setTimeout(beat, limits.heartbeatMs);
  server.on('upgrade', upgrade);
  return {
    get counts() {
      return { connections: readers.size, feeds: feeds.count };
    },
    close: () => {
      server.off('upgrade', upgrade);
      clock.clearTimeout(heartbeat as never);
      feeds.close();
      for (const reader of readers) reader.end();
    },
  };
}

const isOurs = ({ headers, url = '' }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket' && url.replace(/\?.*$/s, '') === WS_PATH;
