import { ledgerOf } from '../ledger-of.ts';
import type { Exchange } from '../http/exchange.ts';
import { leaseWishes } from '../http/lease-wishes.ts';
import { preload } from '../http/ollama/ask-runner.ts';
import { receiveJson } from '../http/ollama/receive-json.ts';
import { badRequest, RequestError } from '../http/openai-errors.ts';
import type { ControlParts, OthersParts } from './parts.ts';

/** The model that a short body names. Rejects with a `RequestError` (400). */
export const modelIn = async (parts: OthersParts, exchange: Exchange): Promise<string> => {
  const body = await receiveJson(exchange, parts);
  const model: unknown =
    typeof body === 'object' && body !== null && 'model' in body ? body.model : undefined;
  if (typeof model === 'string' && model !== '') return model;
  throw new RequestError(
    badRequest('The field "model" has to name a model: {"model":"NAME"}.', 'model_required', {
      param: 'model',
    }),
  );
};

/** Loads a model as a request for it would, and waits for it. */
export const load = async (parts: OthersParts, exchange: Exchange, name: string): Promise<void> => {
  const spec = parts.desk.find(name);
  exchange.entry.model = spec.name;
  await preload(parts, exchange, spec.name, leaseWishes(exchange.request));
};

/** Unloads a model, pinned or not: who waits for it is answered, who uses it may finish. */
export const unload = (parts: ControlParts, name: string): void => {
  const { name: model } = parts.catalogue.find(name);
  if (!isThere(parts, model))
    throw new RequestError(
      badRequest(`${model} is not loaded, and nobody waits for it.`, 'not_loaded', { param: 'model' }),
    );
  sendAway(parts, model);
};

/** The same for all that is loaded, or wanted. */
export const unloadAll = (parts: ControlParts): void => {
  for (const { name } of parts.catalogue.entries) if (isThere(parts, name)) sendAway(parts, name);
};

const isThere = ({ scheduler }: ControlParts, model: string): boolean => {
  const ledger = ledgerOf(scheduler);
  return ledger.runnersOf(model).length > 0 || ledger.queuesOf(model).length > 0;
};

const sendAway = ({ scheduler }: ControlParts, model: string): void =>
  scheduler.send({ type: 'model.unload', model, drainMs: ledgerOf(scheduler).settings.drainMs });
