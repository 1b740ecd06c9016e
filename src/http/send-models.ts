import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeModels, type DescribeParts } from './described-models.ts';
import { findListed, listedNames, type ModelListing } from './model-list.ts';
import { modelWordingOf } from './model-wording.ts';
import { problemOf, problemOfFailure, type HttpProblem } from './openai-errors.ts';
import { sendJson, sendProblem } from './replies.ts';

/** What a list of models is made of. */
export interface ListParts extends DescribeParts {
  readonly models: () => readonly ModelListing[];
}

/** Sends the list of all models, as the client expects it. */
export const sendModels = async (
  parts: ListParts,
  { headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const { list, family } = modelWordingOf(headers);
  try {
    sendJson(response, 200, list(await describeModels(listedNames(parts.models()), parts)));
  } catch (error) {
    sendProblem(response, problemOf(error), family);
  }
};

/** Sends one model by one of its names, or that there is none. */
export const sendModel = async (
  parts: ListParts,
  { headers }: IncomingMessage,
  response: ServerResponse,
  name: string,
): Promise<void> => {
  const { entry, family } = modelWordingOf(headers);
  try {
    const listed = findListed(parts.models(), name);
    const [described] = await describeModels(listed ? [listed] : [], parts);
    if (described) sendJson(response, 200, entry(described));
    else sendProblem(response, problemOfMissing(parts, name), family);
  } catch (error) {
    sendProblem(response, problemOf(error), family);
  }
};

const problemOfMissing = ({ desk }: ListParts, name: string): HttpProblem => {
  try {
    // Knows what to say of a name that there is not.
    desk.find(name);
  } catch (error) {
    return problemOf(error);
  }
  return problemOfFailure({ code: 'model_not_found', message: `model '${name}' not found.` });
};
