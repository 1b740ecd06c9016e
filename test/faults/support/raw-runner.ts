import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** Says something over a connection on which a request has come. */
export type Saying = (socket: Socket) => void;

/** Plays a runner byte by byte: what it says to a request need not be HTTP. */
export class RawRunner {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What it says to each request. */
  say: Saying;
  /** Does not wait for the request's body. */
  isHasty = false;
  requests = 0;
  /** The connection of the latest request. */
  latest: Socket | null = null;

  private constructor(say: Saying) {
    this.say = say;
    this.#server = createServer((socket) => this.#hear(socket));
  }

  static async start(say: Saying): Promise<RawRunner> {
    const runner = new RawRunner(say);
    runner.#server.listen(0, '127.0.0.1');
    await once(runner.#server, 'listening');
    return runner;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #hear(socket: Socket): void {
    let heard = '';
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text;
      const head = heard.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/^content-length: (\d+)/im.exec(heard)?.[1] ?? 0);
      if (!this.isHasty && heard.length < head + 4 + length) return;
      heard = heard.slice(head + 4 + length);
      this.requests += 1;
      this.latest = socket;
      this.say(socket);
    });
  }
}
