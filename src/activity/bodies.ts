import { BodyCapture } from '../http/body-capture.ts';

/** Bodies of requests, of which the oldest give way. Off where nothing may be kept. */
export class Bodies {
  readonly #mostBytes: () => number;
  readonly #held = new Map<number, BodyCapture>();
  #bytes = 0;

  /** `mostBytes` of all together. */
  constructor(mostBytes: () => number) {
    this.#mostBytes = mostBytes;
  }

  /** Null where bodies are not kept. */
  readonly begin = (): BodyCapture | null => (this.#mostBytes() > 0 ? new BodyCapture() : null);

  /** Whether it has been kept. */
  keep(id: number, capture: BodyCapture): boolean {
    this.#held.set(id, capture);
    this.#bytes += sizeOf(capture);
    for (const [oldest, held] of this.#held) {
      if (this.#bytes <= this.#mostBytes()) break;
      this.#held.delete(oldest);
      this.#bytes -= sizeOf(held);
    }
    return this.#held.has(id);
  }

  has(id: number): boolean {
    return this.#held.has(id);
  }

  of(id: number): { readonly request: string; readonly reply: string; readonly isCut: boolean } | null {
    const held = this.#held.get(id);
    if (!held) return null;
    const { request, reply } = held;
    return { request: request.text(), reply: reply.text(), isCut: request.isCut || reply.isCut };
  }
}

const sizeOf = ({ request, reply }: BodyCapture): number => request.bytes + reply.bytes;
