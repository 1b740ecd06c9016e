import type { Variant } from '../../config/schema.ts';
import type { Exchange } from '../exchange.ts';
import { ModelScan } from '../model-scan.ts';
import { badRequest, RequestError } from '../openai-errors.ts';
import { allHeld, HeldBody, readBody } from '../read-body.ts';
import type { ReceiveOptions } from '../receive-call.ts';

/** Of a request that only names a model. */
const SHORT_BYTES = 64 * 1024;
/** Members, items and what is in them; far above any conversation. */
const MOST_VALUES = 1_000_000;

/** A body that has arrived; it is counted as held until it is dropped. */
export interface ReceivedBody {
  readonly held: HeldBody;
  /** The model that serves it. */
  readonly model: string;
  /** How the model is asked under that name. */
  readonly variant: Variant | null;
  /** As the client calls it. */
  readonly named: string;
}

/**
 * Receives a body of JSON, whatever its content type says, without reading more of it than its model. Rejects with a `RequestError`, or
 * with `ClientGone`; nothing is held then.
 */
export const receiveBody = async (
  { request, entry }: Exchange,
  { limits, budget, choose }: ReceiveOptions,
): Promise<ReceivedBody> => {
  const scan = new ModelScan(MOST_VALUES);
  const held = await readBody(request, {
    maxBytes: limits.maxBodyBytes,
    budget,
    onChunk: (chunk) => scan.push(chunk),
  });
  entry.requestBytes = held.bytes;
  try {
    if (held.bytes === 0) throw notJson('missing request body');
    const found = scan.result();
    if (found.kind === 'invalid')
      throw notJson(`the request body is not JSON that can be read: ${found.reason}`);
    const chosen = found.model === null ? null : choose(found.model || undefined);
    if (chosen) return { held, ...chosen, named: found.model || chosen.model };
    const fault = found.model === null ? 'must be a string of at most 1024 bytes' : 'is required';
    throw new RequestError(badRequest(`model: ${fault}`, 'invalid_value', { param: 'model' }));
  } catch (error) {
    held.drop();
    throw error;
  }
};

/** The same bytes, in memory of their own. */
export const joined = (chunks: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
};

/** Reads a short body as JSON. Rejects as `receiveBody` does. */
export const receiveJson = async (
  exchange: Exchange,
  { limits, budget }: ReceiveOptions,
): Promise<unknown> => {
  const { request, entry } = exchange;
  const maxBytes = Math.min(SHORT_BYTES, limits.maxBodyBytes);
  const body = await readBody(request, { maxBytes, budget, onChunk: () => {} });
  entry.requestBytes = body.bytes;
  try {
    return parsed(Buffer.concat(body.chunks).toString('utf8'));
  } finally {
    body.drop();
  }
};

const notJson = (fault: string): RequestError => new RequestError(badRequest(fault, 'invalid_json'));

const parsed = (text: string): unknown => {
  if (text === '') throw notJson('missing request body');
  try {
    // Some editors and shells put a byte order mark before what they send.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw notJson('the request body is not JSON');
  }
};

/** Holds a translated body. Throws a `RequestError` (503) when all requests together hold too much. */
export const hold = (parts: readonly Uint8Array[], { budget }: ReceiveOptions): HeldBody => {
  const body = new HeldBody(budget);
  for (const { buffer, byteOffset, byteLength } of parts)
    if (!body.add(Buffer.from(buffer, byteOffset, byteLength))) {
      body.drop();
      throw new RequestError(allHeld());
    }
  return body;
};
