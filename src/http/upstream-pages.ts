import type { IncomingMessage, ServerResponse } from 'node:http';
import { escapeHtml } from '../escape-html.ts';
import { upstreamRoute } from './api-routes.ts';
import { llamaServer, type Family } from './families.ts';
import { findListed, namesOf, type ModelListing } from './model-list.ts';
import type { HttpProblem } from './openai-errors.ts';
import { wantsPage } from './page.ts';
import type { Proxy } from './proxy.ts';
import type { Place } from './receive-call.ts';
import { sendText } from './replies.ts';
import { splitUpstreamPath } from './upstream-path.ts';

const pageOf = ({ message, code }: HttpProblem): string =>
  `<!doctype html><meta charset="utf-8"><title>Corral</title><p>${escapeHtml(message)}</p>` +
  (code === 'model_not_loaded' ? '<p><a href="?autoload=true">Load it</a></p>' : '');

/** Errors for somebody who looks at a runner's pages with a browser. */
const browser: Family = { ...llamaServer, contentType: 'text/html', errorBody: pageOf };

/**
 * Answers below `/upstream/`. A model's name alone leads to its runner's front page: that page's own addresses are relative,
 * and need the slash at the end.
 */
export const serveUpstream =
  (proxy: Proxy, models: () => readonly ModelListing[]) =>
  (request: IncomingMessage, response: ServerResponse, place: Place): void => {
    const { model, path } = splitUpstreamPath(place.path, namesOf(models()));
    if (path === '/' && !place.path.endsWith('/') && findListed(models(), model)) {
      // Relative, since a proxy in front may have another path; with a dot, since names may hold colons.
      const lastSegment = place.path.slice(place.path.lastIndexOf('/') + 1);
      return sendText(response, 308, '', { location: `./${lastSegment}/${place.query}` });
    }
    const route = wantsPage(request) ? { ...upstreamRoute, family: browser } : upstreamRoute;
    void proxy(request, response, route, place);
  };
