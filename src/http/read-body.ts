import type { IncomingMessage } from 'node:http';
import { badRequest, ClientGone, RequestError, type HttpProblem } from './openai-errors.ts';

/**
 * What holding one chunk costs besides its bytes. Without it a body sent as single bytes would hold a hundred times
 * what it is charged.
 */
const CHUNK_OVERHEAD_BYTES = 256;

/** How many bytes of request bodies are held at once, over all requests. */
export class BodyBudget {
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes `bytes`, or takes nothing and says false. */
  take(bytes: number): boolean {
    if (this.#heldBytes + bytes > this.#maxBytes) return false;
    this.#heldBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}

/** A request body as it arrived, kept so that it can be sent more than once. */
export class HeldBody {
  readonly #budget: BodyBudget;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #chargedBytes = 0;

  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  get chunks(): readonly Buffer[] {
    return this.#chunks;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a chunk; false if the budget does not allow it. */
  add(chunk: Buffer): boolean {
    const charge = chunk.length + CHUNK_OVERHEAD_BYTES;
    if (!this.#budget.take(charge)) return false;
    this.#chargedBytes += charge;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return true;
  }

  /** Lets the bytes go and returns them to the budget. May be called more than once. */
  drop(): void {
    this.#budget.give(this.#chargedBytes);
    this.#chargedBytes = 0;
    this.#chunks = [];
  }
}

/** The length that the request announces; 0 if it announces none. */
export const declaredBytes = (request: IncomingMessage): number =>
  Number(request.headers['content-length'] ?? 0);

const tooLarge = (maxBytes: number): HttpProblem =>
  badRequest(`The request body is larger than the limit of ${maxBytes} bytes.`, 'request_too_large', {
    status: 413,
  });

/** Whether a body follows the headers. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** Too much is held over all requests. */
export const allHeld = (): HttpProblem => ({
  status: 503,
  message: 'Too many bytes of waiting requests are held at present; try again shortly.',
  type: 'overloaded_error',
  code: 'bodies_full',
  param: null,
  retry: true,
  retryAfterSeconds: 1,
});

interface ReadBodyOptions {
  readonly maxBytes: number;
  readonly budget: BodyBudget;
  /** Sees each chunk as it arrives. */
  readonly onChunk: (chunk: Buffer) => void;
}

/**
 * Reads a request's body into a list of chunks. Rejects with a `RequestError` (413, 503) or with `ClientGone`; nothing
 * is held then. The rest of a refused body is left unread.
 */
export const readBody = (request: IncomingMessage, options: ReadBodyOptions): Promise<HeldBody> =>
  new Promise((resolve, reject) => {
    const { maxBytes, budget, onChunk } = options;
    const body = new HeldBody(budget);
    const settle = (error?: Error): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      if (!error) return resolve(body);
      body.drop();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      if (body.bytes + chunk.length > maxBytes) settle(new RequestError(tooLarge(maxBytes)));
      else if (body.add(chunk)) onChunk(chunk);
      else settle(new RequestError(allHeld()));
    };
    const onEnd = (): void => settle();
    const onClose = (): void => settle(new ClientGone());
    if (declaredBytes(request) > maxBytes) return settle(new RequestError(tooLarge(maxBytes)));
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
