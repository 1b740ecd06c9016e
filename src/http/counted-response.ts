import { ServerResponse, type IncomingMessage } from 'node:http';

/** A reply that knows how large its body is, whoever writes it: a runner's that is passed on, and one of Corral's own. */
export class CountedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /** Bytes of the body so far, as the client gets them; without what the connection adds. */
  bodyBytes = 0;

  override write(chunk: unknown, ...rest: never[]): boolean {
    this.#count(chunk);
    return super.write(chunk, ...rest);
  }

  override end(...args: never[]): this {
    this.#count(args[0]);
    return super.end(...args);
  }

  #count(chunk: unknown): void {
    // A HEAD is answered with a head alone.
    if (this.req.method === 'HEAD') return;
    if (typeof chunk === 'string') this.bodyBytes += Buffer.byteLength(chunk);
    else if (chunk instanceof Uint8Array) this.bodyBytes += chunk.byteLength;
  }
}

/** Zero where nobody counts. */
export const bodyBytesOf = (response: ServerResponse): number =>
  response instanceof CountedResponse ? response.bodyBytes : 0;
