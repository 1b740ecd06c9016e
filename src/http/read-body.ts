import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { decoderFor, notDecoded } from './body-decoding.ts';
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
  /** A body that is compressed is kept as it came. */
  readonly asItCame?: boolean;
}

/**
 * Reads a request's body into a list of chunks, decompressed if need be: the bounds are those of what comes out. Rejects with a
 * `RequestError` (400, 413, 415, 503) or with `ClientGone`; nothing is held then. The rest of a refused body is left unread.
 */
export const readBody = async (request: IncomingMessage, options: ReadBodyOptions): Promise<HeldBody> => {
  if (declaredBytes(request) > options.maxBytes) throw new RequestError(tooLarge(options.maxBytes));
  const decoder = options.asItCame ? null : decoderFor(request);
  return collect(request, decoder, options);
};

const collect = (
  request: IncomingMessage,
  decoder: Transform | null,
  { maxBytes, budget, onChunk }: ReadBodyOptions,
): Promise<HeldBody> =>
  new Promise((resolve, reject) => {
    const body = new HeldBody(budget);
    const source = decoder ?? request;
    const settle = (error?: Error): void => {
      source.off('data', onData).off('end', onEnd);
      request.off('close', onClose);
      if (decoder) {
        request.unpipe(decoder);
        decoder.destroy();
      }
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
    // What has arrived whole may still be in the decoder.
    const onClose = (): void => {
      if (!request.readableEnded) settle(new ClientGone());
    };
    source.on('data', onData).on('end', onEnd);
    request.on('close', onClose);
    decoder?.on('error', () => settle(notDecoded()));
    if (decoder) request.pipe(decoder);
  });
