import { once } from 'node:events';
import {
  Agent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { scopes } from '../../src/auth/scopes.ts';
import { ollamaRoutes } from '../../src/http/ollama/handler.ts';
import { ModelCards } from '../../src/http/ollama/model-cards.ts';
import { createRouter } from '../../src/http/router.ts';
import type { OpenApiDocument } from '../../src/management/openapi.ts';
import { commands, type CommandInput, type CommandName } from '../../src/ws/protocol.ts';
import { SmallDesk } from '../http/support/small-desk.ts';
import { faultsOf, operationsOf } from '../management/support/document.ts';
import { startCorral, type Corral } from '../support/corral.ts';
import { keysOf } from '../support/guard.ts';
import { manage, prefixes, read, rows, type Row } from './support/rows.ts';
import { RawReader } from '../ws/support/raw-reader.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const keyOf = (scope: string): string => `key-${scope}`;
const everything = 'key-everything';
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** What is let in gets what happens for as long as it stays. */
const endless: ReadonlySet<string> = new Set(['GET /logs/stream', 'GET /api/events', 'GET /models/sse']);

/** A body that no route takes: what is let in is refused for it, and changes nothing. */
const NONSENSE = '{"nonsense":true}';

async function ask(url: string, route: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  const [method = '', path = ''] = route.split(' ');
  const body = method === 'POST' ? NONSENSE : '';
  const request = httpRequest(`${url}${path}`, {
    agent,
    method,
    headers: {
      ...(body && { 'content-type': 'application/json', 'content-length': body.length }),
      ...headers,
    },
  });
  request.end(body);
  const [reply] = (await once(request, 'response')) as [IncomingMessage];
  if (endless.has(route) && reply.statusCode === 200) {
    reply.destroy();
    return { status: 200, headers: reply.headers, text: '' };
  }
  const chunks = await reply.setEncoding('utf8').toArray();
  return { status: reply.statusCode ?? 0, headers: reply.headers, text: chunks.join('') };
}

/** How an answer that refuses says so, in the form of the API that the path belongs to. */
function codeIn({ text, headers }: Answer, route: string): string {
  if (route.startsWith('HEAD')) return '';
  const path = route.split(' ')[1] ?? '';
  const body = JSON.parse(text);
  if (path.startsWith('/api/v1/') || path === '/api/decisions') {
    expect(headers['content-type']).to.match(/^application\/problem\+json/);
    return body.code;
  }
  if (path.startsWith('/api/')) {
    expect(body).to.have.all.keys('error');
    return '';
  }
  if (path.startsWith('/v1/messages')) {
    expect(body.type).to.equal('error');
    return body.error.type;
  }
  return body.error.code;
}

const letIn = ({ status }: Answer): boolean => ![401, 403, 429].includes(status);

describe('who may do what', function () {
  this.timeout(120_000);
  let corral: Corral;
  let all: readonly Row[];
  let document: OpenApiDocument;
  before(async () => {
    corral = await startCorral('embedded', {
      listen: { port: 0 },
      inspect: true,
      keys: keysOf({
        ...Object.fromEntries(scopes.map((scope) => [scope, { key: keyOf(scope), scopes: [scope] }])),
        everything: { key: everything, scopes: [...scopes] },
      }),
      limits: { requestsPerMinute: 'unlimited' },
    });
    const { text } = await ask(corral.url, 'GET /api/v1/openapi.json', { 'x-api-key': keyOf('read') });
    document = JSON.parse(text);
    const management = operationsOf(document).map(({ method, path }): Row => {
      const concrete = path.replaceAll(/\{\w+\}/g, 'none');
      const isReading = method === 'GET' && !path.endsWith('/activity/{id}');
      return [`${method} ${concrete}`, isReading ? read : manage];
    });
    all = [...rows, ...management, ['OPTIONS /api/v1/status', scopes], ['GET /api/v1/none', read]];
  });
  after(async () => {
    agent.destroy();
    await corral.close();
  });

  it('is said here of every route that there is', () => {
    const nobody = (): void => {};
    const router = createRouter({
      desk: new SmallDesk(),
      models: () => [],
      cards: new ModelCards(),
      management: nobody,
      others: nobody,
      metrics: nobody,
      bridgePage: nobody,
      health: () => 'ok',
      version: '',
      proxy: async () => {},
      ollama: nobody,
    });
    const known = new Set(all.map(([route]) => route));
    const there = [...router.exact].flatMap(([path, { methods }]) =>
      (methods ?? []).map((method) => `${method} ${path}`),
    );

    for (const route of [...there, ...Object.keys(ollamaRoutes)]) expect(known).to.include(route);
    expect([...router.prefixes.keys()]).to.deep.equal(prefixes);
    for (const prefix of prefixes)
      expect(all.some(([route]) => route.split(' ')[1]?.startsWith(prefix))).to.equal(true);
    expect(operationsOf(document)).to.have.length.above(15);
  });

  it('without a key: nothing, save what is open', async () => {
    for (const [route, opens] of all) {
      const answer = await ask(corral.url, route);

      if (opens === 'open') expect(letIn(answer), route).to.equal(true);
      else {
        expect(answer.status, route).to.equal(401);
        expect(answer.headers['www-authenticate'], route).to.equal('Bearer realm="corral"');
        expect(codeIn(answer, route), route).to.be.oneOf([
          '',
          'missing_api_key',
          'authentication_error',
          401,
        ]);
      }
    }
  });

  it('with a wrong key: nothing, save what is open', async () => {
    for (const [route, opens] of all) {
      const answer = await ask(corral.url, route, { authorization: `Bearer ${everything}x` });

      if (opens === 'open') expect(letIn(answer), route).to.equal(true);
      else {
        expect(answer.status, route).to.equal(401);
        expect(answer.headers['www-authenticate'], route).to.contain('error="invalid_token"');
        expect(codeIn(answer, route), route).to.be.oneOf([
          '',
          'invalid_api_key',
          'authentication_error',
          401,
        ]);
      }
    }
  });

  for (const scope of scopes)
    it(`with a key for ${scope}: just that`, async () => {
      for (const [route, opens] of all) {
        const answer = await ask(corral.url, route, { authorization: `Bearer ${keyOf(scope)}` });

        if (opens === 'open' || opens.includes(scope)) {
          expect(letIn(answer), `${route}: ${answer.status} ${answer.text}`).to.equal(true);
          expect(answer.status, route).to.not.equal(500);
        } else {
          expect(answer.status, route).to.equal(403);
          expect(answer.headers['www-authenticate'], route).to.contain(`scope="${opens.join(' ')}"`);
          expect(codeIn(answer, route), route).to.be.oneOf(['', 'forbidden', 'permission_error', 403]);
        }
      }
    });

  it('by another host name, or from a page of another origin: nothing, whatever the key', async () => {
    const strange: [code: string, headers: OutgoingHttpHeaders][] = [
      ['host_not_allowed', { host: 'evil.example' }],
      ['other_origin', { origin: 'https://evil.example' }],
      ['other_origin', { 'sec-fetch-site': 'cross-site' }],
    ];
    for (const [route] of all)
      for (const [code, headers] of strange) {
        const answer = await ask(corral.url, route, { ...headers, 'x-api-key': everything });

        expect(answer.status, route).to.equal(403);
        expect(answer.headers, route).to.not.have.property('access-control-allow-origin');
        expect(codeIn(answer, route), route).to.be.oneOf(['', code, 'permission_error', 403]);
      }
  });

  it('is what the OpenAPI document says, refusals among it', async () => {
    for (const described of operationsOf(document)) {
      const { method, path, operation } = described;
      const route = `${method} ${path.replaceAll(/\{\w+\}/g, 'none')}`;
      const [security] = operation.security;

      expect(security?.key, route).to.deep.equal(all.find(([known]) => known === route)?.[1]);
      for (const headers of [{}, { 'x-api-key': keyOf('inference') }]) {
        const answer = await ask(corral.url, route, headers);
        expect(operation.responses, route).to.have.property(String(answer.status));
        expect(faultsOf(document, described, { ...answer, body: JSON.parse(answer.text) })).to.deep.equal([]);
      }
    }
  });

  describe('over the WebSocket', () => {
    const shake = async (
      headers: Record<string, string>,
      protocols: string[] = [],
      path = '/api/v1/ws',
    ): Promise<Answer> => {
      const socket = new WebSocket(`${corral.url.replace('http', 'ws')}${path}`, protocols, { headers });
      socket.on('error', () => {});
      const answer = await Promise.race([
        once(socket, 'open').then((): Answer => ({ status: 101, headers: {}, text: '' })),
        once(socket, 'unexpected-response').then(async ([, reply]: IncomingMessage[]) => ({
          status: reply?.statusCode ?? 0,
          headers: reply?.headers ?? {},
          text: String((await reply?.setEncoding('utf8').toArray())?.join('')),
        })),
      ]);
      socket.terminate();
      return answer;
    };

    it('connects who may read, by a header or a subprotocol', async () => {
      const inProtocol = (key: string): string[] => [
        'corral.v1',
        `corral.key.${Buffer.from(key).toString('base64url')}`,
      ];

      expect((await shake({ authorization: `Bearer ${keyOf('read')}` })).status).to.equal(101);
      expect((await shake({ 'x-api-key': everything })).status).to.equal(101);
      expect((await shake({}, inProtocol(keyOf('read')))).status).to.equal(101);
      expect((await shake({}, inProtocol('wrong'))).status).to.equal(401);
      for (const scope of ['inference', 'manage']) {
        const { status, headers, text } = await shake({ 'x-api-key': keyOf(scope) });
        expect([status, JSON.parse(text).code]).to.deep.equal([403, 'forbidden']);
        expect(headers['www-authenticate']).to.contain('scope="read"');
      }
      const without = await shake({});
      expect([without.status, JSON.parse(without.text).code]).to.deep.equal([401, 'missing_api_key']);
      expect(without.headers['content-type']).to.match(/^application\/problem\+json/);
    });

    it('connects nobody by another host name, or from a page of another origin', async () => {
      const key = { 'x-api-key': everything };

      expect((await shake({ ...key, origin: corral.url })).status).to.equal(101);
      for (const headers of [
        { host: 'evil.example' },
        { origin: 'https://evil.example' },
        { origin: 'null' },
      ] as Record<string, string>[])
        expect((await shake({ ...key, ...headers })).status).to.equal(403);
    });

    it('is the same for inspectors of statecharts', async () => {
      const statusOf = async (headers: Record<string, string>): Promise<number> =>
        (await shake(headers, [], '/inspect')).status;

      expect(await statusOf({ 'x-api-key': keyOf('read') })).to.equal(101);
      expect(await statusOf({ 'x-api-key': keyOf('manage') })).to.equal(403);
      expect(await statusOf({})).to.equal(401);
      expect(await statusOf({ 'x-api-key': everything, origin: 'https://evil.example' })).to.equal(403);
    });

    it('carries out commands of who may manage', async () => {
      for (const [key, may] of [
        [keyOf('read'), false],
        [everything, true],
      ] as const) {
        const reader = await RawReader.open(corral.url, { headers: { 'x-api-key': key } });
        for (const command of Object.keys(commands)) {
          const params = commandParams[command as CommandName];
          const reply = await reader.ask({ type: 'command', id: command, command, params });

          expect(reply, command)
            .to.have.nested.property('problem.code')
            .that.is.oneOf(may ? ['model_not_found', 'runner_not_found', 'device_not_found'] : ['forbidden']);
        }
        reader.socket.terminate();
      }
    });
  });
});

/** Each command, to a model or a runner that is not there. */
const commandParams: { readonly [N in CommandName]: CommandInput<N> } = {
  'model.load': { model: 'none' },
  'model.unload': { model: 'none' },
  'model.pin': { model: 'none', pinned: true },
  'devices.pause': { devices: ['none'] },
  'devices.resume': { devices: ['none'] },
  'runner.stop': { runnerId: 'none' },
  'terminal.write': { runnerId: 'none', text: 'x' },
};

describe('who may do what where no keys are configured', function () {
  this.timeout(60_000);

  it('is everybody everything, but for other host names and pages of other origins', async () => {
    const corral = await startCorral('embedded', { listen: { port: 0 }, inspect: true });
    for (const [route] of rows) {
      expect(letIn(await ask(corral.url, route)), route).to.equal(true);
      expect((await ask(corral.url, route, { host: 'evil.example' })).status, route).to.equal(403);
      expect((await ask(corral.url, route, { origin: 'https://evil.example' })).status, route).to.equal(403);
    }
    await corral.close();
  });
});
