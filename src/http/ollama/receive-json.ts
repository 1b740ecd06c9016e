import type { Exchange } from '../exchange.ts';
import { badRequest, RequestError } from '../openai-errors.ts';
import { allHeld, HeldBody, readBody } from '../read-body.ts';
import { refuseEncoded, type ReceiveOptions } from '../receive-call.ts';

/** Reads a request's body as JSON, whatever its content type says. Rejects with a `RequestError`, or with `ClientGone`. */
export const receiveJson = async (
  { request, entry }: Exchange,
  { limits, budget }: ReceiveOptions,
): Promise<unknown> => {
  refuseEncoded(request.headers['content-encoding']);
  const body = await readBody(request, { maxBytes: limits.maxBodyBytes, budget, onChunk: () => {} });
  entry.requestBytes = body.bytes;
  try {
    return parsed(Buffer.concat(body.chunks).toString('utf8'));
  } finally {
    body.drop();
  }
};

const parsed = (text: string): unknown => {
  if (text === '') throw new RequestError(badRequest('missing request body', 'invalid_json'));
  try {
    // Some editors and shells put a byte order mark before what they send.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new RequestError(badRequest('the request body is not JSON', 'invalid_json'));
  }
};

/** Holds a translated body. Throws a `RequestError` (503) when all requests together hold too much. */
export const holdJson = (value: object, { budget }: ReceiveOptions): HeldBody => {
  const body = new HeldBody(budget);
  if (body.add(Buffer.from(JSON.stringify(value)))) return body;
  throw new RequestError(allHeld());
};
