import { ServiceError } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import { problemOfFailure, RequestError } from '../openai-errors.ts';
import type { ProxyParts } from '../proxy.ts';
import { sendText } from '../replies.ts';
import type { Outcome } from '../request-log.ts';
import { receiveJson } from './receive-json.ts';
import { pullRequest, readRequest } from './requests.ts';

/**
 * `POST /api/pull`, with which clients make sure that a model is there: done when it is. Nothing is downloaded, since what runs is
 * the configuration's business; the refusal names the models that there are, and is a status of its own, not a line of a stream.
 */
export const servePull = async (parts: ProxyParts, exchange: Exchange): Promise<Outcome> => {
  const { model, isStream } = readRequest(pullRequest, await receiveJson(exchange, parts));
  exchange.entry.model = model;
  find(parts, model);
  const steps = isStream ? ['pulling manifest', 'success'] : ['success'];
  sendText(exchange.response, 200, steps.map((status) => `${JSON.stringify({ status })}\n`).join(''), {
    'content-type': isStream ? 'application/x-ndjson' : 'application/json; charset=utf-8',
  });
  return 'ok';
};

const find = ({ desk }: ProxyParts, model: string): void => {
  try {
    desk.find(model);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'model_not_found') throw error;
    const { message } = error.failure;
    throw new RequestError(problemOfFailure({ ...error.failure, message: `${message} ${INSTEAD}` }));
  }
};

const INSTEAD =
  'Corral does not download models on request: use "corral pull", or download the file, and enter it in corral.yaml.';
