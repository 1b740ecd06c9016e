import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Logger } from 'pino';
import type { Caller } from '../auth/guard.ts';
import type { Clock } from '../clock.ts';
import { problem, problemOf, ProblemError } from '../management/problem.ts';
import type { ProblemDetails } from '../management/schemas.ts';
import type { Feed, FeedReader, Frame } from './feed.ts';
import type { Feeds } from './feeds.ts';
import type { WsLimits } from './limits.ts';
import { Outbox } from './outbox.ts';
import type { Command, Subscribe } from './protocol.ts';
import { readMessage } from './read-message.ts';
import type { Rounds } from './rounds.ts';
import type { RunCommand } from './run-command.ts';
import { V } from './wire.ts';

export interface ReaderParts {
  readonly socket: WebSocket;
  readonly connection: Duplex;
  readonly caller: Caller;
  readonly feeds: Feeds;
  readonly rounds: Rounds;
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly now: () => number;
  readonly limits: WsLimits;
  readonly log: Logger;
  readonly onEnd: (reader: Reader) => void;
}

/** Why a connection is ended, in the codes of RFC 6455. */
const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;

/** One connection: what it asks, and what it is told. */
export class Reader implements FeedReader {
  readonly #parts: ReaderParts;
  readonly #outbox: Outbox;
  readonly #subscriptions = new Map<string, Feed>();
  readonly #gone = new AbortController();
  #commands = 0;
  #isAlive = true;
  /** Messages since the beginning of this second. */
  #heard = 0;
  #secondAtMs = 0;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    const { socket, connection, rounds, clock, limits } = parts;
    const onStall = (): void => this.end(TRY_AGAIN_LATER, 'too slow');
    this.#outbox = new Outbox({ socket, connection, rounds, clock, limits, onStall });
    socket.on('message', (data, isBinary) => this.#hear(data, isBinary));
    socket.on('pong', () => (this.#isAlive = true));
    // Frames that break the protocol: `ws` closes the connection itself.
    socket.on('error', () => {});
    socket.on('close', () => this.#leave());
  }

  greet(version: string, sessionId: string): void {
    const { scopes } = this.#parts.caller;
    this.#say({ type: 'hello', version, sessionId, serverTime: new Date().toISOString(), scopes });
  }

  get caller(): Caller {
    return this.#parts.caller;
  }

  /** Ends it for one whose key is not known any more. */
  expel(): void {
    this.end(POLICY_VIOLATION, 'the key is not known any more');
  }

  deliver(feed: Feed, change: Frame): void {
    this.#outbox.deliver(feed, change);
  }

  /** Asks for a sign of life; one that has not given any since the last time is cut off. */
  beat(): void {
    const { socket } = this.#parts;
    // One that is not read from has the time limit of its outbox.
    if (socket.isPaused) return;
    if (!this.#isAlive) return socket.terminate();
    this.#isAlive = false;
    socket.ping();
  }

  /** Closes the connection; cuts it when the other side does not answer that in time. */
  end(code: number = GOING_AWAY, reason = 'Corral is stopping'): void {
    const { socket, clock, limits } = this.#parts;
    if (this.#gone.signal.aborted) return;
    this.#leave();
    socket.close(code, reason);
    // Its answer is to be read.
    socket.resume();
    const cut = clock.setTimeout(() => socket.terminate(), limits.closeGraceMs);
    socket.on('close', () => clock.clearTimeout(cut as never));
  }

  #leave(): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.#outbox.close();
    for (const feed of this.#subscriptions.values()) this.#parts.feeds.leave(feed, this);
    this.#subscriptions.clear();
    this.#parts.onEnd(this);
  }

  #hear(data: WebSocket.RawData, isBinary: boolean): void {
    if (this.#gone.signal.aborted) return;
    this.#isAlive = true;
    if (isBinary) return this.end(UNSUPPORTED_DATA, 'messages are text');
    if (this.#isTooMuch()) return this.end(POLICY_VIOLATION, 'too many messages a second');
    const { message, id, cause } = readMessage((data as Buffer).toString());
    if (!message) return this.#say({ type: 'error', id, problem: cause });
    switch (message.type) {
      case 'subscribe':
        return this.#answer(message.id, () => this.#subscribe(message));
      case 'unsubscribe':
        return this.#answer(message.id, () => this.#unsubscribe(message.id));
      case 'command':
        return void this.#command(message);
      case 'ping':
        return this.#say({ type: 'pong' });
    }
  }

  #isTooMuch(): boolean {
    const { now, limits } = this.#parts;
    const nowMs = now();
    if (nowMs - this.#secondAtMs >= 1_000) {
      this.#secondAtMs = nowMs;
      this.#heard = 0;
    }
    return ++this.#heard > limits.maxMessagesPerSecond;
  }

  /** Answers, and then does what follows from that. */
  #answer(id: string, act: () => { readonly result: object; readonly afterwards?: () => void }): void {
    try {
      const { result, afterwards } = act();
      this.#say({ type: 'reply', id, ok: true, result });
      afterwards?.();
    } catch (error) {
      this.#say({ type: 'reply', id, ok: false, problem: this.#problemOf(error) });
    }
  }

  #subscribe({ id, topic, params, after }: Subscribe): { result: object; afterwards: () => void } {
    const { feeds, limits } = this.#parts;
    if (this.#subscriptions.has(id)) throw new ProblemError(409, 'id_in_use', `'${id}' is in use.`);
    if (this.#subscriptions.size >= limits.maxSubscriptions)
      throw new ProblemError(429, 'too_many_subscriptions', `At most ${limits.maxSubscriptions} at a time.`);
    const feed = feeds.follow({ topic, params }, this);
    if ([...this.#subscriptions.values()].includes(feed))
      throw new ProblemError(409, 'already_subscribed', 'This connection follows that already.');
    this.#subscriptions.set(id, feed);
    const missed = after === undefined ? null : feed.after(after);
    const frames = missed ?? [feed.snapshot(after === undefined ? 'plain' : 'reset')];
    return {
      result: { seq: feed.seq, resumed: missed !== null },
      afterwards: () => frames.forEach((frame) => this.#outbox.deliver(feed, frame)),
    };
  }

  #unsubscribe(id: string): { result: object } {
    const feed = this.#subscriptions.get(id);
    if (!feed) throw new ProblemError(404, 'not_subscribed', `There is no subscription '${id}'.`);
    this.#subscriptions.delete(id);
    this.#outbox.forget(feed);
    this.#parts.feeds.leave(feed, this);
    return { result: {} };
  }

  async #command(message: Command): Promise<void> {
    const { caller, limits, run, log } = this.#parts;
    const { id } = message;
    this.#commands++;
    try {
      if (!caller.scopes.includes('manage'))
        throw new ProblemError(403, 'forbidden', 'This key may give no commands.');
      if (this.#commands > limits.maxCommands)
        throw new ProblemError(429, 'too_many_commands', `At most ${limits.maxCommands} at a time.`);
      const result = await run(message, this.#gone.signal);
      log.info({ event: 'command.ended', command: message.command, caller: caller.key?.name ?? null });
      this.#say({ type: 'reply', id, ok: true, result });
    } catch (error) {
      this.#say({ type: 'reply', id, ok: false, problem: this.#problemOf(error) });
    } finally {
      this.#commands--;
    }
  }

  #problemOf(error: unknown): ProblemDetails {
    const known = problemOf(error);
    if (known) return known;
    if (!this.#gone.signal.aborted) this.#parts.log.error({ event: 'ws.failed', err: error });
    return problem(500, 'internal_error', 'Internal error; the log of the service has the details.');
  }

  #say(message: object): void {
    if (!this.#gone.signal.aborted) this.#outbox.send(JSON.stringify({ v: V, ...message }));
  }
}
