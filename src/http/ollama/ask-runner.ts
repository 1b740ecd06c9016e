import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { Lease } from '../../lease.ts';
import { deliver } from '../deliver.ts';
import type { Exchange } from '../exchange.ts';
import { keepAliveOf, leaseWishes, type LeaseWishes } from '../lease-wishes.ts';
import { badRequest, RequestError } from '../openai-errors.ts';
import type { ProxyParts } from '../proxy.ts';
import type { ReplySink } from '../reply-sink.ts';
import type { Outcome } from '../request-log.ts';
import { ollama } from './family.ts';
import { hold } from './receive-json.ts';

/** Known, or refused before anything else is said of the request. */
export const specOf = ({ desk }: ProxyParts, { entry }: Exchange, model: string): ModelSpec => {
  entry.model = model;
  return desk.find(model);
};

export const wishesOf = (
  { request }: Exchange,
  { keepAlive }: { readonly keepAlive?: string | number | null | undefined },
): LeaseWishes => ({
  ...leaseWishes(request),
  ...(keepAlive !== null && keepAlive !== undefined && { keepAlive: keepAliveOf(keepAlive, 'keep_alive') }),
});

/** A lease of its own, to be released, with what it took noted. */
export const leaseFor = async (
  { desk }: ProxyParts,
  { gone, entry }: Exchange,
  model: string,
  wishes: LeaseWishes,
): Promise<Lease> => {
  const lease = await desk.acquire({ model, ...wishes }, gone);
  entry.runnerId = lease.runnerId;
  entry.waitMs += Math.round(lease.waitMs);
  entry.loadMs += Math.round(lease.loadMs);
  return lease;
};

/** Loads a model, or begins its keep-alive anew. */
export const preload = async (...args: Parameters<typeof leaseFor>): Promise<void> =>
  (await leaseFor(...args)).release();

/** Has a model leave memory. A pin is not a client's to undo. */
export const unload = async (
  { desk }: ProxyParts,
  { gone }: Exchange,
  { name, pinned }: ModelSpec,
): Promise<void> => {
  if (!pinned) return desk.unload(name, gone);
  const fault = `${name} is pinned and stays loaded; to unload it all the same: corral unload ${name}`;
  throw new RequestError(badRequest(fault, 'model_pinned', { status: 409 }));
};

/** Of what runners answer here, the one that is no stream. */
export const EMBEDDINGS_PATH = '/v1/embeddings';

interface Question {
  readonly model: string;
  readonly path: string;
  /** JSON, in parts. */
  readonly body: readonly Uint8Array[];
  readonly wishes: LeaseWishes;
}

/** Asks a runner in llama-server's words. */
export const ask = async (
  parts: ProxyParts,
  exchange: Exchange,
  { model, path, body, wishes }: Question,
  replyTo: (lease: Lease) => ReplySink,
): Promise<Outcome> => {
  const held = hold(body, parts);
  try {
    return await deliver(parts, exchange, {
      model,
      method: 'POST',
      target: path,
      body: held,
      wishes,
      access: 'lease',
      mayStream: path !== EMBEDDINGS_PATH,
      family: ollama,
      // A line of JSON that says nothing is not foreseen in Ollama's streams.
      signs: 'none',
      replyTo,
    });
  } finally {
    held.drop();
  }
};
