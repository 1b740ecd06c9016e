import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { pictureAfter, type Picture } from '../../../src/client/pictures.ts';
import { serverMessages, type ServerMessage, type Topic } from '../../../src/ws/protocol.ts';

type Of<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>;

/** A WebSocket by itself, and what came over it. Each message is checked against its schema. */
export class RawReader {
  readonly socket: WebSocket;
  readonly messages: ServerMessage[] = [];
  readonly #waiting = new Set<() => void>();
  closed: { code: number; reason: string } | null = null;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as ServerMessage;
      serverMessages[message.type].parse(message);
      this.messages.push(message);
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    socket.on('error', () => {});
  }

  /** Connected, and greeted. */
  static async open(url: string, options: ClientOptions = {}, protocols: string[] = []): Promise<RawReader> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/ws`, protocols, options);
    const reader = new RawReader(socket);
    await once(socket, 'open');
    await reader.until(() => reader.messages.length > 0);
    return reader;
  }

  say(message: object): void {
    this.socket.send(JSON.stringify({ v: 1, ...message }));
  }

  of<Type extends ServerMessage['type']>(type: Type): Of<Type>[] {
    return this.messages.filter((message): message is Of<Type> => message.type === type);
  }

  /** Waits for the answer to a message with an id. */
  async ask(message: { id: string; [key: string]: unknown }): Promise<Of<'reply'>> {
    const before = this.of('reply').length;
    this.say(message);
    await this.until(() => this.of('reply').length > before);
    const reply = this.of('reply').at(-1);
    if (reply?.id !== message.id) throw new Error(`no reply to ${message.id}`);
    return reply;
  }

  /** Waits until everything that the server has said until now is here. */
  async settle(): Promise<void> {
    const before = this.of('pong').length;
    this.say({ type: 'ping' });
    await this.until(() => this.of('pong').length > before);
  }

  /** A topic as it was told. */
  picture<T extends Topic>(topic: T): Picture<T> | null {
    let picture: Picture<T> | null = null;
    for (const message of this.messages)
      if ((message.type === 'snapshot' || message.type === 'change') && message.topic === topic)
        picture = pictureAfter(picture, message as Parameters<typeof pictureAfter<T>>[1]);
    return picture;
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.closed) throw new Error(`closed: ${this.closed.code} ${this.closed.reason}`);
      await this.#next();
    }
  }

  /** Waits for the end of the connection. */
  async end(): Promise<{ code: number; reason: string }> {
    while (!this.closed) await this.#next();
    return this.closed;
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
