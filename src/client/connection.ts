import type { Hello, ServerMessage } from '../ws/protocol.ts';
import { KEY_SUBPROTOCOL, SUBPROTOCOL, V, WS_PATH } from '../ws/wire.ts';

/** What is used of a WebSocket: browsers' and that of `ws` have it. */
export interface SocketLike {
  send(text: string): void;
  close(): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- each implementation has event types of its own
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: any) => void): void;
}
export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

/** `waiting` is between a connection that was lost, or could not be made, and the next try. */
export type ConnectionState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface ConnectionOptions {
  /** Shown to the server, if it asks for keys. */
  readonly key?: string;
  /** Node before 22 has no WebSocket of its own: pass that of `ws`. */
  readonly WebSocket?: SocketConstructor;
  /** Waits between tries: the first one, doubled each time up to the longest, and varied so that not all come at once. */
  readonly retryMs?: { readonly first: number; readonly most: number };
  /** How often a sign of life is asked of the server; without one by the next time the connection counts as lost. */
  readonly heartbeatMs?: number;
}

interface Listener {
  onState(state: ConnectionState): void;
  onHello(hello: Hello): void;
  onMessage(message: Exclude<ServerMessage, Hello>): void;
}

/** A connection that is made again whenever it is lost, until it is closed. */
export class Connection {
  readonly #url: string;
  readonly #protocols: string[];
  readonly #Socket: SocketConstructor;
  readonly #listener: Listener;
  readonly #retryMs: { readonly first: number; readonly most: number };
  readonly #heartbeat: ReturnType<typeof setInterval>;
  #socket: SocketLike | null = null;
  #state: ConnectionState = 'connecting';
  #tries = 0;
  #hasHeard = true;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** Throws a `TypeError` when the address is none, or when there is no WebSocket. */
  constructor(url: string, options: ConnectionOptions, listener: Listener) {
    const {
      key,
      WebSocket = builtIn(),
      retryMs = { first: 250, most: 10_000 },
      heartbeatMs = 15_000,
    } = options;
    if (!WebSocket) throw new TypeError('There is no WebSocket here: pass one, such as that of `ws`.');
    this.#url = socketUrl(url);
    this.#protocols = [SUBPROTOCOL, ...(key === undefined ? [] : [KEY_SUBPROTOCOL + base64Url(key)])];
    this.#Socket = WebSocket;
    this.#listener = listener;
    this.#retryMs = retryMs;
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs);
    this.#open();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Sends a message; nothing happens without an open connection. */
  send(message: object): void {
    if (this.#state === 'open') this.#write(message);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#retry);
    this.#drop('closed');
  }

  #open(): void {
    const socket = new this.#Socket(this.#url, this.#protocols);
    this.#socket = socket;
    this.#hasHeard = true;
    const isCurrent = (): boolean => socket === this.#socket;
    socket.addEventListener('message', ({ data }: { data: unknown }) => isCurrent() && this.#hear(data));
    // What went wrong is not told to pages; the close that follows is.
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', () => isCurrent() && this.#lose());
    this.#become('connecting');
  }

  #hear(data: unknown): void {
    this.#hasHeard = true;
    const message = JSON.parse(String(data)) as ServerMessage;
    if (message.type !== 'hello') return this.#listener.onMessage(message);
    this.#tries = 0;
    this.#state = 'open';
    this.#listener.onHello(message);
    this.#listener.onState('open');
  }

  #lose(): void {
    this.#drop('waiting');
    const { first, most } = this.#retryMs;
    const waitMs = Math.min(first * 2 ** this.#tries++, most);
    this.#retry = setTimeout(() => this.#open(), waitMs * (0.5 + Math.random() / 2));
  }

  #drop(state: 'waiting' | 'closed'): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#become(state);
  }

  #beat(): void {
    if (!this.#socket) return;
    if (!this.#hasHeard) return this.#lose();
    this.#hasHeard = false;
    this.send({ type: 'ping' });
  }

  #write(message: object): void {
    this.#socket?.send(JSON.stringify({ v: V, ...message }));
  }

  #become(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#listener.onState(state);
  }
}

const builtIn = (): SocketConstructor | undefined =>
  (globalThis as { WebSocket?: SocketConstructor }).WebSocket;

/** `http://host:port` of a Corral, or a WebSocket's whole address. */
function socketUrl(given: string): string {
  const url = new URL(given);
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (url.pathname === '/') url.pathname = WS_PATH;
  return url.href;
}

const base64Url = (text: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
