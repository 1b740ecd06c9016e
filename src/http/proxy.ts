import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiRoute } from './api-routes.ts';
import { deliver, type DeliveryParts } from './deliver.ts';
import { receiveCall, type Place, type ReceiveOptions } from './receive-call.ts';
import { runExchange, type Observers } from './run-exchange.ts';

/** What the data path is made of. */
export interface ProxyParts extends DeliveryParts, ReceiveOptions, Observers {}

/** Serves one request whose route is known; resolves when its reply is over. Never rejects. */
export type Proxy = (
  request: IncomingMessage,
  response: ServerResponse,
  route: ApiRoute,
  place: Place,
) => Promise<void>;

/** Body, lease, forward, release, log: the way of every request that a runner answers. */
export const createProxy =
  (parts: ProxyParts): Proxy =>
  (request, response, route, place) =>
    runExchange({
      request,
      response,
      path: place.path,
      family: route.family,
      observers: parts,
      serve: async (exchange) => {
        const call = await receiveCall(exchange, route, place, parts);
        try {
          return await deliver(parts, exchange, call);
        } finally {
          call.body.drop();
        }
      },
    });
