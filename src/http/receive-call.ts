import type { Exchange } from './exchange.ts';
import type { HttpLimits } from './limits.ts';
import { ModelScan, type ScanResult } from './model-scan.ts';
import { badRequest, RequestError } from './openai-errors.ts';
import { readBody, type BodyBudget, type HeldBody } from './read-body.ts';

/** A request that can be served: which model it wants, and the bytes to send there. Its body must be dropped. */
export interface Call {
  readonly model: string;
  readonly body: HeldBody;
}

interface ReceiveOptions {
  readonly limits: HttpLimits;
  readonly budget: BodyBudget;
  readonly modelNames: () => readonly string[];
}

const MAX_NAMES_TOLD = 20;

/**
 * Reads a request's body and which model it is for. Rejects with a `RequestError` if it is too large, no JSON object,
 * or names no model, and with `ClientGone` if the client leaves first; nothing is held then.
 */
export const receiveCall = async (exchange: Exchange, options: ReceiveOptions): Promise<Call> => {
  const { request, entry } = exchange;
  refuseEncoded(request.headers['content-encoding']);
  const scan = new ModelScan();
  const body = await readBody(request, {
    maxBytes: options.limits.maxBodyBytes,
    budget: options.budget,
    onChunk: (chunk) => scan.push(chunk),
  });
  entry.requestBytes = body.bytes;
  try {
    const found = scan.result();
    const model = modelOf(found, options.modelNames);
    entry.model = model;
    entry.stream = found.kind === 'object' && found.stream;
    return { model, body };
  } catch (error) {
    body.drop();
    throw error;
  }
};

const refuseEncoded = (encoding: string | undefined): void => {
  if (encoding === undefined || encoding === 'identity') return;
  throw new RequestError(
    badRequest(
      `A request body in the encoding ${JSON.stringify(encoding)} is not accepted; send it plain.`,
      'encoding',
      {
        status: 415,
      },
    ),
  );
};

const modelOf = (found: ScanResult, modelNames: () => readonly string[]): string => {
  if (found.kind === 'invalid') {
    throw new RequestError(
      badRequest(`The request body is not a JSON object that can be read: ${found.reason}.`, 'invalid_json'),
    );
  }
  if (found.model) return found.model;
  const fault = found.model === null ? 'must be a string of at most 1024 bytes' : 'is missing or empty';
  throw new RequestError(
    badRequest(`The field "model" ${fault}. ${describeNames(modelNames())}`, 'model_required', {
      param: 'model',
    }),
  );
};

const describeNames = (names: readonly string[]): string => {
  if (names.length === 0) return 'No models are configured.';
  const told = names.slice(0, MAX_NAMES_TOLD).join(', ');
  return `Configured models: ${told}${names.length > MAX_NAMES_TOLD ? ', …' : ''}.`;
};
