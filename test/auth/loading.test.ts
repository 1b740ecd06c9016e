import { expect } from 'chai';
import { SmallDesk } from '../http/support/small-desk.ts';
import { Servers } from '../http/support/started.ts';
import { aGuard, keysOf } from '../support/guard.ts';

const keys = keysOf({
  read: { key: 'k-read', scopes: ['read'] },
  inference: { key: 'k-inference', scopes: ['inference'] },
  manage: { key: 'k-manage', scopes: ['manage'] },
  operator: { key: 'k-operator', scopes: ['read', 'manage'] },
});

/** What a key asks for of a model that is not loaded, and what comes of it: 200 is a load. */
const cases: readonly (readonly [key: string, route: string, status: number])[] = [
  ['read', 'GET /props?model=tiny', 409],
  ['read', 'GET /slots?model=tiny', 409],
  ['read', 'GET /metrics?model=tiny', 409],
  ['read', 'GET /props?model=tiny&autoload=true', 403],
  ['read', 'GET /slots?model=tiny&autoload=true', 403],
  ['read', 'GET /metrics?model=tiny&autoload=true', 403],
  ['read', 'GET /upstream/tiny/any', 409],
  ['read', 'GET /upstream/tiny/slots', 409],
  ['read', 'GET /upstream/tiny/any?autoload=true', 403],
  ['read', 'GET /upstream/tiny/slots?autoload=true', 403],
  ['read', 'POST /upstream/tiny/any', 403],
  ['inference', 'GET /props?model=tiny', 409],
  ['inference', 'GET /props?model=tiny&autoload=true', 200],
  ['inference', 'GET /slots?model=tiny&autoload=true', 403],
  ['inference', 'GET /upstream/tiny/props', 409],
  ['inference', 'GET /upstream/tiny/props?autoload=true', 200],
  ['inference', 'GET /upstream/tiny/any?autoload=true', 403],
  ['inference', 'POST /upstream/tiny/v1/chat/completions', 200],
  ['inference', 'POST /upstream/tiny/any', 403],
  ['manage', 'GET /props?model=tiny&autoload=true', 403],
  ['manage', 'POST /upstream/tiny/any', 200],
  ['operator', 'GET /slots?model=tiny', 409],
  ['operator', 'GET /slots?model=tiny&autoload=true', 200],
  ['operator', 'GET /upstream/tiny/any?autoload=true', 200],
];

describe('a model that is not loaded', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  const outcomes = {
    200: 'is loaded for',
    409: 'stays where it is, which is said, for',
    403: 'is refused to',
  } as Record<number, string>;
  for (const [key, route, status] of cases)
    it(`${outcomes[status]} ${route} with a key for ${key}`, async () => {
      const upstream = await servers.upstream((request, response) => {
        request.resume();
        response.end('{}');
      });
      const desk = new SmallDesk(upstream.baseUrl);
      desk.isLoaded = false;
      const { baseUrl } = await servers.corral(desk, { guard: aGuard({ keys }) });
      const [method = '', path = ''] = route.split(' ');

      const reply = await fetch(baseUrl + path, {
        method,
        headers: { authorization: `Bearer k-${key}` },
        ...(method === 'POST' && { body: '{"model":"tiny"}' }),
      });

      expect([reply.status, desk.requests.length]).to.deep.equal([status, status === 200 ? 1 : 0]);
    });
});
