import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { isAppOrigin } from '../auth/app-origins.ts';
import { noteCaller } from '../auth/caller-names.ts';
import type { Guard } from '../auth/guard.ts';
import { loading } from '../auth/scopes.ts';
import { answerPreflight, isPreflight, letRead } from './cors.ts';
import { logRefused } from './log-refused.ts';
import { problemOf } from './openai-errors.ts';
import { hasBody } from './read-body.ts';
import { sendProblem, sendProblemEarly } from './replies.ts';
import type { Target } from './router.ts';

/** Whether a request may go on to its target; one that may not has been answered. */
export type Gate = (request: IncomingMessage, response: ServerResponse, target: Target) => Promise<boolean>;

/** The one way in: asks the guard, and answers who is refused in the form of the API that was spoken to. */
export const createGate =
  (guard: Guard, log: Logger, isOllamas: (request: IncomingMessage) => boolean = () => false): Gate =>
  async (request, response, { needs, loads, family, isForApps }) => {
    const { origin } = request.headers;
    const isOfApp = (): boolean => isForApps && isAppOrigin(origin) && isOllamas(request);
    const isListed = origin !== undefined && (guard.listsOrigin(origin) || isOfApp());
    if (isListed) letRead(response, origin);
    const asksForLeave = isListed && isPreflight(request);
    try {
      // A browser asks for leave without the key that it is going to send.
      const { key } = await guard.admit(request, asksForLeave ? null : needs, {
        isTrustedPage: isListed,
        besides: loads ? loading : null,
      });
      if (key) noteCaller(request, key);
    } catch (error) {
      const problem = problemOf(error);
      logRefused(log, request, problem);
      if (hasBody(request)) sendProblemEarly(request, response, problem, family);
      else sendProblem(response, problem, family);
      return false;
    }
    if (asksForLeave) answerPreflight(request, response);
    return !asksForLeave;
  };
