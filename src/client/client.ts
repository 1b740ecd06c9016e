import type { ProblemDetails } from '../management/schemas.ts';
import type {
  Change,
  CommandInput,
  CommandName,
  CommandResult,
  Hello,
  ServerMessage,
  Snapshot,
  Topic,
  TopicParams,
} from '../ws/protocol.ts';
import { Connection, type ConnectionOptions, type ConnectionState } from './connection.ts';
import { pictureAfter, type Picture } from './pictures.ts';

export type { ConnectionOptions, ConnectionState, SocketConstructor, SocketLike } from './connection.ts';
export { pictureAfter, type Picture } from './pictures.ts';
export {
  RECORDING_FORMAT,
  RECORDING_VERSION,
  recordingHeader,
  type RecordingHeader,
} from '../recording/recording-file.ts';
export type * from '../ws/protocol.ts';

/** The server, or the lack of a connection to it, says no: `problem.code` is for programs, the message for people. */
export class CorralError extends Error {
  override readonly name = 'CorralError';
  readonly problem: Pick<ProblemDetails, 'code' | 'detail'> & Partial<ProblemDetails>;

  constructor(problem: CorralError['problem']) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Told of each change: the topic as it is now, and the message that made it so. */
export type OnData<T extends Topic> = (picture: Picture<T>, message: Snapshot<T> | Change<T>) => void;
/** A topic cannot be followed, or no longer. */
export type OnProblem = (error: CorralError) => void;

export interface CorralClient {
  readonly state: ConnectionState;
  /** What the server said of itself when the connection was last opened; null until then. */
  readonly hello: Hello | null;
  /** Hears each change of the state; the answer ends it. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Resolves once the connection is open, at once if it is; rejects when the client is closed before. */
  opened(): Promise<void>;
  /** Follows a topic, across lost connections; the answer ends it. `params` is `{}` where a topic takes none. */
  subscribe<T extends Topic>(
    topic: T,
    params: NonNullable<TopicParams<T>>,
    onData: OnData<T>,
    onProblem?: OnProblem,
  ): () => void;
  /**
   * Rejects with a `CorralError`: what the server refuses; `not_connected`; or `connection_lost`, after which nobody knows
   * whether it was carried out.
   */
  command<N extends CommandName>(name: N, params: CommandInput<N>): Promise<CommandResult<N>>;
  close(): void;
}

interface Following {
  readonly topic: Topic;
  readonly params: object | undefined;
  readonly listeners: Set<{ readonly onData: OnData<Topic>; readonly onProblem?: OnProblem | undefined }>;
  /** Of the subscription on the present connection. */
  id: string | null;
  picture: Picture<Topic> | null;
  last: Snapshot | Change | null;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: CorralError) => void;
}

/** Connects to a Corral: `http://host:port`. Throws a `TypeError` for a bad address, or where there is no WebSocket. */
export const connect = (url: string, options: ConnectionOptions = {}): CorralClient =>
  new Client(url, options);

class Client implements CorralClient {
  readonly #connection: Connection;
  readonly #followings = new Map<string, Following>();
  readonly #pending = new Map<string, Pending>();
  readonly #stateListeners = new Set<(state: ConnectionState) => void>();
  #hello: Hello | null = null;
  #lastId = 0;

  constructor(url: string, options: ConnectionOptions) {
    this.#connection = new Connection(url, options, {
      onState: (state) => this.#onState(state),
      onHello: (hello) => this.#onHello(hello),
      onMessage: (message) => this.#onMessage(message),
    });
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  get hello(): Hello | null {
    return this.#hello;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => void this.#stateListeners.delete(listener);
  }

  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (state: ConnectionState): void => {
        if (state !== 'open' && state !== 'closed') return;
        stop();
        if (state === 'open') resolve();
        else reject(closed());
      };
      const stop = this.onState(check);
      check(this.state);
    });
  }

  subscribe<T extends Topic>(
    topic: T,
    params: NonNullable<TopicParams<T>>,
    onData: OnData<T>,
    onProblem?: OnProblem,
  ): () => void {
    const given = Object.keys(params).length === 0 ? undefined : params;
    const key = keyOf(topic, given);
    const listener = { onData: onData as OnData<Topic>, onProblem };
    const following = this.#followings.get(key) ?? this.#follow(key, topic, given);
    following.listeners.add(listener);
    if (following.picture && following.last) listener.onData(following.picture, following.last);
    return () => {
      if (!following.listeners.delete(listener) || following.listeners.size > 0) return;
      if (this.#followings.get(key) !== following) return;
      this.#followings.delete(key);
      if (following.id !== null) this.#connection.send({ type: 'unsubscribe', id: following.id });
    };
  }

  command<N extends CommandName>(command: N, params: CommandInput<N>): Promise<CommandResult<N>> {
    if (this.state !== 'open')
      return Promise.reject(new CorralError({ code: 'not_connected', detail: 'There is no connection.' }));
    return new Promise((resolve, reject) => {
      const id = this.#nextId();
      this.#pending.set(id, { resolve: (result) => resolve(result as CommandResult<N>), reject });
      this.#connection.send({ type: 'command', id, command, params });
    });
  }

  close(): void {
    this.#connection.close();
    this.#followings.clear();
  }

  #follow(key: string, topic: Topic, params: object | undefined): Following {
    const following = { topic, params, listeners: new Set<never>(), id: null, picture: null, last: null };
    this.#followings.set(key, following);
    if (this.state === 'open') this.#ask(following);
    return following;
  }

  #ask(following: Following, after?: number): void {
    const { topic, params } = following;
    following.id = this.#nextId();
    this.#connection.send({ type: 'subscribe', id: following.id, topic, params, after });
  }

  #onState(state: ConnectionState): void {
    if (state !== 'open') this.#forgetConnection();
    for (const listener of this.#stateListeners) listener(state);
  }

  #forgetConnection(): void {
    for (const following of this.#followings.values()) following.id = null;
    const lost = new CorralError({
      code: 'connection_lost',
      detail: 'The connection was lost before the answer.',
    });
    for (const { reject } of this.#pending.values()) reject(lost);
    this.#pending.clear();
  }

  #onHello(hello: Hello): void {
    // Another run of Corral counts anew.
    const isSame = this.#hello?.sessionId === hello.sessionId;
    this.#hello = hello;
    for (const following of this.#followings.values())
      this.#ask(following, isSame ? following.last?.seq : undefined);
  }

  #onMessage(message: Exclude<ServerMessage, Hello>): void {
    switch (message.type) {
      case 'snapshot':
      case 'change':
        return this.#onData(message);
      case 'reply':
        if (message.ok) return this.#onResult(message.id, message.result);
        return this.#onRefusal(message.id, message.problem);
      case 'error':
        return this.#onRefusal(message.id, message.problem);
      case 'pong':
    }
  }

  #onData(message: Snapshot | Change): void {
    const following = this.#followings.get(keyOf(message.topic, message.params));
    if (!following) return;
    const picture = pictureAfter(following.picture, message);
    // Of an earlier subscription to the same; the snapshot of the new one is under way.
    if (picture === null) return;
    following.picture = picture;
    following.last = message;
    for (const { onData } of following.listeners) onData(picture, message);
  }

  #onResult(id: string, result: unknown): void {
    this.#pending.get(id)?.resolve(result);
    this.#pending.delete(id);
  }

  #onRefusal(id: string | undefined, problem: ProblemDetails): void {
    if (id === undefined) return;
    const error = new CorralError(problem);
    this.#pending.get(id)?.reject(error);
    this.#pending.delete(id);
    for (const [key, following] of this.#followings) {
      if (following.id !== id) continue;
      this.#followings.delete(key);
      for (const { onProblem } of following.listeners) onProblem?.(error);
    }
  }

  #nextId(): string {
    return String(++this.#lastId);
  }
}

const keyOf = (topic: Topic, params: object | undefined): string => JSON.stringify([topic, params ?? null]);

const closed = (): CorralError => new CorralError({ code: 'not_connected', detail: 'The client is closed.' });
