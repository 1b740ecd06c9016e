import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** One client's connection: sends requests one after the other, and costs as little as can be, so that servers are measured. */
export class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #done: (() => void) | null = null;
  #fail: ((error: Error) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail?.(error));
    socket.on('close', () => this.#fail?.(new Error('the server closed the connection')));
  }

  static async to(port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** Resolves once the whole reply is here. Rejects for any status but 200, and when the connection ends. */
  send(request: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#received = Buffer.alloc(0);
      this.#done = resolve;
      this.#fail = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#fail = null;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    if (!head.startsWith('HTTP/1.1 200')) return this.#fail?.(new Error(head));
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    const missing = Number(length) - (this.#received.length - headEnd - HEAD_END.length);
    if (length === undefined ? this.#received.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) : missing <= 0)
      return this.#done?.();
    // Of a stream only its head and its latest bytes are of interest.
    if (length === undefined)
      this.#received = Buffer.concat([
        this.#received.subarray(0, headEnd + HEAD_END.length),
        this.#received.subarray(-LAST_CHUNK.length),
      ]);
  }
}
