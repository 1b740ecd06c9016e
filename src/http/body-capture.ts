/** The most of one body that is kept. */
const MOST_OF_ONE = 256 * 1024;

/** What goes to a runner and what comes back, while it does. */
export class BodyCapture {
  readonly #parts = { request: new Kept(), reply: new Kept() };

  /** What a runner is sent; another try begins anew. */
  sent(chunks: readonly Uint8Array[]): void {
    this.#parts.request = new Kept();
    this.#parts.reply = new Kept();
    for (const chunk of chunks) this.#parts.request.add(chunk);
  }

  replied(chunk: Uint8Array): void {
    this.#parts.reply.add(chunk);
  }

  get request(): Kept {
    return this.#parts.request;
  }

  get reply(): Kept {
    return this.#parts.reply;
  }
}

/** The beginning of a body. */
class Kept {
  bytes = 0;
  isCut = false;
  readonly #chunks: Buffer[] = [];

  add(chunk: Uint8Array): void {
    const room = MOST_OF_ONE - this.bytes;
    if (chunk.length > room) this.isCut = true;
    if (room <= 0) return;
    // A copy: what comes is a part of a larger buffer.
    this.#chunks.push(Buffer.from(chunk.subarray(0, room)));
    this.bytes += Math.min(room, chunk.length);
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
