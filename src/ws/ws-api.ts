import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Caller, Guard } from '../auth/guard.ts';
import { scopes } from '../auth/scopes.ts';
import { realClock, type Clock } from '../clock.ts';
import { Feeds } from './feeds.ts';
import { History, type HistoryBounds } from './history.ts';
import { defaultWsLimits, type WsLimits } from './limits.ts';
import type { WsParts } from './parts.ts';
import { logRefused } from '../http/log-refused.ts';
import { badRequest, problemOf, RequestError, type HttpProblem } from '../http/openai-errors.ts';
import { refuseUpgrade, takeAsPlainHttp } from './plain-http.ts';
import { Reader } from './reader.ts';
import { Rounds } from './rounds.ts';
import { commandRunner } from './run-command.ts';
import { sourcesOf } from './sources.ts';
import { SUBPROTOCOL, WS_PATH } from './wire.ts';

/** Takes over a connection of one who may read. */
export type Endpoint = (socket: WebSocket, connection: Duplex) => void;

export interface WsOptions {
  /** Who may connect, and do what; everybody may do everything without it. */
  readonly guard?: Pick<Guard, 'admit' | 'stillKnows'>;
  readonly limits?: Partial<WsLimits>;
  /** Further WebSockets by their path, behind the same guard. */
  readonly endpoints?: Readonly<Record<string, Endpoint>>;
  /** What is kept of what was told, whoever listens; nothing without it. */
  readonly history?: HistoryBounds | null;
  /** For tests: the time of ticks, heartbeats and stalls. */
  readonly clock?: Clock;
  readonly now?: () => number;
}

export interface WsApi {
  /** Connections, and topics that are open: none are left when everybody has gone and some time has passed. */
  readonly counts: { readonly connections: number; readonly feeds: number };
  /** What was told over the last minutes: a JSON object each, oldest first. */
  history(): readonly string[];
  /** Says goodbye to everybody. */
  close(): void;
}

const open: Pick<Guard, 'admit' | 'stillKnows'> = {
  admit: async () => ({ key: null, scopes }),
  stillKnows: () => true,
};

/** The WebSocket API at `/api/v1/ws`: what happens, as it happens, and the commands. */
export function serveWebSocket(server: Server, parts: WsParts, options: WsOptions = {}): WsApi {
  const { guard = open, now = () => performance.now() } = options;
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
  const history = options.history ? new History(feeds, options.history) : null;
  const rounds = new Rounds(limits);
  const run = commandRunner(parts);
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.maxMessageBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });

  const welcome = (socket: WebSocket, connection: Duplex, caller: Caller): void => {
    const onEnd = (reader: Reader): void => void readers.delete(reader);
    const { log } = parts;
    const shared = { feeds, rounds, run, clock, now, limits, log };
    const reader = new Reader({ socket, connection, caller, onEnd, ...shared });
    readers.add(reader);
    reader.greet(parts.version, sessionId);
  };
  const guests = new Map<WebSocket, Caller>();
  const endpoints = new Map(Object.entries(options.endpoints ?? {}));
  const accept = (path: string, socket: WebSocket, connection: Duplex, caller: Caller): void => {
    const endpoint = endpoints.get(path);
    if (!endpoint) return welcome(socket, connection, caller);
    guests.set(socket, caller);
    socket.on('close', () => guests.delete(socket));
    endpoint(socket, connection);
  };
  const upgrade = async (request: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> => {
    const path = pathOf(request);
    if (!isWebSocket(request) || (path !== WS_PATH && !endpoints.has(path)))
      return takeAsPlainHttp(server, request, connection, head);
    try {
      const caller = await guard.admit(request, ['read']);
      if (readers.size >= limits.maxConnections) throw new RequestError(full(readers.size));
      sockets.handleUpgrade(request, connection, head, (socket) => accept(path, socket, connection, caller));
    } catch (error) {
      const problem = problemOf(error);
      logRefused(parts.log, request, problem);
      refuseUpgrade(connection, problem);
    }
  };
  const beat = (): void => {
    for (const reader of readers) {
      if (guard.stillKnows(reader.caller)) reader.beat();
      else reader.expel();
    }
    for (const [socket, caller] of guests)
      if (!guard.stillKnows(caller)) socket.close(1008, 'the key is not known any more');
    feeds.sweep();
    heartbeat = clock.setTimeout(beat, limits.heartbeatMs);
  };

  let heartbeat = clock.setTimeout(beat, limits.heartbeatMs);
  const onUpgrade = (...upgraded: Parameters<typeof upgrade>): void => void upgrade(...upgraded);
  server.on('upgrade', onUpgrade);
  return {
    get counts() {
      return { connections: readers.size, feeds: feeds.count };
    },
    history: () => history?.lines() ?? [],
    close: () => {
      history?.close();
      server.off('upgrade', onUpgrade);
      clock.clearTimeout(heartbeat as never);
      feeds.close();
      for (const reader of readers) reader.end();
    },
  };
}

const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket';

const pathOf = ({ url = '' }: IncomingMessage): string => url.replace(/\?.*$/s, '');

const full = (open: number): HttpProblem => ({
  ...badRequest(`${open} connections are open already.`, 'too_many_connections'),
  status: 503,
  retry: true,
  retryAfterSeconds: 5,
});
