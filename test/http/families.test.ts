import { expect } from 'chai';
import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { ServiceError } from '../../src/errors.ts';
import { sendText } from '../../src/http/replies.ts';
import { until } from './support/clients.ts';
import { SmallDesk } from './support/small-desk.ts';
import { aModel, Servers } from './support/started.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('API families', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  /** Corral before a runner that notes what it gets, and answers `{}`. */
  const noting = async (options: Parameters<Servers['corral']>[1] = {}) => {
    const seen: Seen[] = [];
    const upstream = await servers.upstream((request, response) => {
      void buffer(request).then((body) => {
        const { method = '', url = '', headers } = request;
        seen.push({ method, url, headers, body: body.toString('latin1') });
        response.end('{}');
      });
    });
    const desk = new SmallDesk(upstream.baseUrl);
    return { desk, seen, ...(await servers.corral(desk, options)) };
  };
  const post = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url, { method: 'POST', body: JSON.stringify(body), headers });

  for (const path of [
    '/chat/completions',
    '/completions',
    '/embeddings',
    '/v1/chat/completions/input_tokens',
    '/rerank',
    '/v1/rerank',
    '/reranking',
    '/v1/reranking',
    '/responses',
    '/v1/responses',
    '/v1/responses/input_tokens',
    '/v1/messages',
    '/v1/messages/count_tokens',
    '/completion',
    '/infill',
    '/tokenize',
    '/detokenize',
    '/apply-template',
    '/embedding',
  ])
    it(`passes POST ${path} on as it is`, async () => {
      const { baseUrl, seen } = await noting();
      const body = '{ "x" : [1.0,  2], "model":"tiny" }';

      const reply = await fetch(`${baseUrl}${path}?a=b`, { method: 'POST', body });

      expect(reply.status).to.equal(200);
      expect(reply.headers.get('x-corral-runner')).to.equal('runner-0');
      expect(seen).to.have.length(1);
      expect(seen[0]).to.include({ method: 'POST', url: `${path}?a=b`, body });
    });

  it('finds the model of a form, and passes the form on byte for byte', async () => {
    const { baseUrl, seen, desk } = await noting();
    const form = new FormData();
    form.append('file', new Blob([Buffer.from([0, 13, 10, 45, 45, 255])]), 'a.wav');
    form.append('model', 'tiny');
    const sent = new Request(`${baseUrl}/v1/audio/transcriptions`, { method: 'POST', body: form });
    const copy = Buffer.from(await sent.clone().arrayBuffer()).toString('latin1');

    expect((await fetch(sent)).status).to.equal(200);

    expect(seen[0]?.body).to.equal(copy);
    expect(seen[0]?.headers['content-type']).to.match(/^multipart\/form-data; boundary=/);
    expect(desk.requests).to.deep.equal([{ model: 'tiny' }]);
  });

  it('answers 400 for a form without a model, or what is no form', async () => {
    const { baseUrl } = await noting();
    const form = new FormData();
    form.append('file', 'x');

    for (const [body, code] of [
      [form, 'model_required'],
      ['{"model":"tiny"}', 'invalid_form'],
    ] as const) {
      const reply = await fetch(`${baseUrl}/v1/audio/transcriptions`, { method: 'POST', body });
      expect(reply.status).to.equal(400);
      expect(await reply.json()).to.have.nested.property('error.code', code);
    }
  });

  describe('tell errors in their own form', () => {
    const refusal = new ServiceError({ code: 'queue_full', message: '64 requests wait.' });
    const cases = [
      {
        path: '/v1/responses',
        error: {
          error: { message: '64 requests wait.', type: 'overloaded_error', code: 'queue_full', param: null },
        },
      },
      {
        path: '/v1/messages',
        error: { type: 'error', error: { type: 'overloaded_error', message: '64 requests wait.' } },
      },
      {
        path: '/completion',
        error: { error: { code: 503, message: '64 requests wait.', type: 'overloaded_error' } },
      },
    ];
    for (const { path, error } of cases)
      it(`${path}`, async () => {
        const { baseUrl, desk } = await noting();
        desk.refusal = refusal;

        const reply = await post(baseUrl + path, { model: 'tiny' });

        expect(reply.status).to.equal(503);
        expect(Number(reply.headers.get('retry-after'))).to.be.greaterThan(0);
        expect(await reply.json()).to.deep.equal(error);
      });

    it('in a stream that is cut', async () => {
      const upstream = await servers.upstream((request, response) => {
        request.resume();
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: ping\ndata: {}\n\n');
        setImmediate(() => response.socket?.destroy());
      });
      const desk = new SmallDesk(upstream.baseUrl);
      desk.loss = { code: 'runner_crashed', message: 'tiny has crashed.' };
      const { baseUrl } = await servers.corral(desk);

      const text = async (path: string): Promise<string> =>
        (await post(baseUrl + path, { model: 'tiny', stream: true })).text();

      expect(await text('/v1/messages')).to.equal(
        'event: ping\ndata: {}\n\nevent: error\n' +
          'data: {"type":"error","error":{"type":"api_error","message":"tiny has crashed."}}\n\n',
      );
      expect(await text('/v1/responses')).to.match(
        /event: error\ndata: \{"type":"error","code":"runner_crashed","message":"tiny has crashed\."/,
      );
    });

    it('for a method that a path does not take', async () => {
      const { baseUrl } = await noting();

      const reply = await fetch(`${baseUrl}/v1/messages`);

      expect(reply.status).to.equal(405);
      expect(await reply.json()).to.have.nested.property('error.type', 'invalid_request_error');
    });
  });

  describe("llama-server's own paths", () => {
    it('take the model from the body, else the query, else there is but one', async () => {
      const { baseUrl, desk } = await noting({ models: () => [aModel(), aModel({ name: 'other' })] });
      const alone = await noting();

      await post(`${baseUrl}/tokenize?model=other`, { model: 'tiny', content: 'x' });
      await post(`${baseUrl}/tokenize?model=tiny`, { content: 'x' });
      await post(`${alone.baseUrl}/tokenize`, { content: 'x' });
      const refused = await post(`${baseUrl}/tokenize`, { content: 'x' });

      expect(desk.requests.map(({ model }) => model)).to.deep.equal(['tiny', 'tiny']);
      expect(alone.desk.requests.map(({ model }) => model)).to.deep.equal(['tiny']);
      expect(refused.status).to.equal(400);
      expect(await refused.json()).to.have.nested.property(
        'error.message',
        'The field "model" is missing or empty. Configured models: tiny, other.',
      );
    });

    for (const path of ['/props', '/slots', '/lora-adapters', '/metrics'])
      it(`GET ${path} looks at a loaded model, beside its slots`, async () => {
        const { baseUrl, desk, seen } = await noting();

        const reply = await fetch(`${baseUrl}${path}?model=tiny`);

        expect(reply.status).to.equal(200);
        expect(seen[0]).to.include({ method: 'GET', url: `${path}?model=tiny`, body: '' });
        expect(desk.looks).to.deep.equal(['tiny']);
        expect(desk.leases).to.deep.equal([]);
      });

    it('do not load a model to be looked at, unless they are asked to', async () => {
      const { baseUrl, desk } = await noting();
      desk.isLoaded = false;

      const refused = await fetch(`${baseUrl}/props?model=tiny`);
      expect(refused.status).to.equal(409);
      expect(await refused.json()).to.deep.equal({
        error: {
          code: 409,
          message: 'tiny is not loaded, and GET /props does not load it. Add autoload=true to load it.',
          type: 'invalid_request_error',
        },
      });
      expect(desk.requests).to.deep.equal([]);

      expect((await fetch(`${baseUrl}/props?model=tiny&autoload=true`)).status).to.equal(200);
      expect(desk.requests).to.deep.equal([{ model: 'tiny' }]);
      expect(desk.unsettled).to.equal(0);
    });

    it("leave GET /metrics without a model to Corral's own", async () => {
      const { baseUrl, seen } = await noting({
        metrics: (_, response) => sendText(response, 200, 'corral_up 1', { 'content-type': 'text/plain' }),
      });

      expect(await (await fetch(`${baseUrl}/metrics`)).text()).to.equal('corral_up 1');
      expect(seen).to.deep.equal([]);
      expect(await (await fetch(`${baseUrl}/metrics?model=tiny`)).text()).to.equal('{}');
    });
  });

  describe('/upstream/{model}/', () => {
    it('passes any method, path, query and body on', async () => {
      const { baseUrl, seen, desk } = await noting();

      await fetch(`${baseUrl}/upstream/tiny/slots?a=1`);
      await fetch(`${baseUrl}/upstream/tiny/slots/0?action=save`, { method: 'POST', body: 'any bytes' });
      await fetch(`${baseUrl}/upstream/tiny/x`, { method: 'DELETE' });
      await fetch(`${baseUrl}/upstream/tiny/`, { method: 'HEAD' });

      expect(seen.map(({ method, url, body }) => [method, url, body])).to.deep.equal([
        ['GET', '/slots?a=1', ''],
        ['POST', '/slots/0?action=save', 'any bytes'],
        ['DELETE', '/x', ''],
        ['HEAD', '/', ''],
      ]);
      expect(desk.requests).to.have.length(2);
      expect(desk.looks).to.have.length(2);
      await until('all to be released', () => desk.unsettled === 0);
    });

    it('finds names with slashes, plain and encoded', async () => {
      const { baseUrl, desk, seen } = await noting({
        models: () => [aModel(), aModel({ name: 'org/big', aliases: ['org/big/v2'] })],
      });

      const names = ['org/big', 'org%2Fbig', 'ORG/Big', 'org/big:latest', 'org/big/v2'];
      for (const name of names) await fetch(`${baseUrl}/upstream/${name}/v1/models`, { method: 'POST' });

      expect(desk.requests.map(({ model }) => model)).to.deep.equal(['org/big', ...names.toSpliced(1, 1)]);
      expect(seen).to.deep.equal([]); // the small desk knows `tiny` alone
    });

    it('leads from the name alone to its front page, whose addresses are relative', async () => {
      const { baseUrl, seen } = await noting({
        models: () => [aModel(), aModel({ name: 'org/big:7b', aliases: [] })],
      });
      const lead = async (path: string, method = 'GET') => {
        const { status, headers } = await fetch(baseUrl + path, { method, redirect: 'manual' });
        return [status, headers.get('location')];
      };

      expect(await lead('/upstream/tiny')).to.deep.equal([308, './tiny/']);
      expect(await lead('/upstream/tiny?a=1&b=%20', 'HEAD')).to.deep.equal([308, './tiny/?a=1&b=%20']);
      expect(await lead('/upstream/small')).to.deep.equal([308, './small/']);
      expect(await lead('/upstream/org/big:7b')).to.deep.equal([308, './big:7b/']);
      expect((await lead('/upstream/none'))[0]).to.equal(404);
      expect(seen).to.deep.equal([]);
      await fetch(`${baseUrl}/upstream/tiny?a=1`);
      expect(seen.map(({ url }) => url)).to.deep.equal(['/?a=1']);
    });

    it('loads no model for a page or what belongs to it, unless it is asked to', async () => {
      const { baseUrl, desk, lines } = await noting();
      desk.isLoaded = false;
      const paths = ['/', '/index.html', '/bundle.js', '/bundle.css', '/favicon.ico', '/metrics', '/slots'];

      for (const path of paths)
        for (const method of ['GET', 'HEAD'])
          expect((await fetch(`${baseUrl}/upstream/tiny${path}`, { method })).status, path).to.equal(409);
      const page = await fetch(`${baseUrl}/upstream/tiny/`, { headers: { accept: 'text/html' } });
      const text = await page.text();

      expect(desk.requests).to.deep.equal([]);
      expect([page.status, page.headers.get('content-type')]).to.deep.equal([
        409,
        'text/html; charset=utf-8',
      ]);
      expect(text).to.contain('tiny is not loaded').and.to.contain('<a href="?autoload=true">');
      await fetch(`${baseUrl}/upstream/tiny/?autoload=true`);
      expect(desk.requests).to.have.length(1);
      await until('their lines', () => lines.length === 2 * paths.length + 2);
    });

    it('counts and tells a look at nothing as no refusal', async () => {
      const ended: string[] = [];
      const { baseUrl, desk, lines } = await noting({ onRequestEnd: ({ outcome }) => ended.push(outcome) });
      desk.isLoaded = false;

      for (const path of ['/metrics?model=tiny', '/upstream/tiny/metrics'])
        expect((await fetch(baseUrl + path)).status, path).to.equal(409);

      await until('both lines', () => lines.length === 2);
      expect(ended).to.deep.equal(['not-loaded', 'not-loaded']);
      const DEBUG = 20;
      expect(lines.map(({ level, outcome }) => [level, outcome])).to.deep.equal([
        [DEBUG, 'not-loaded'],
        [DEBUG, 'not-loaded'],
      ]);
    });

    it('answers 400 without a name, and 404 for one that is unknown', async () => {
      const { baseUrl } = await noting();

      expect((await fetch(`${baseUrl}/upstream/`)).status).to.equal(400);
      expect((await fetch(`${baseUrl}/upstream/none/x`)).status).to.equal(404);
    });
  });

  describe('wishes in headers', () => {
    const wish = (priority: string, keepAlive: string): Record<string, string> => ({
      'x-corral-priority': priority,
      'x-corral-keep-alive': keepAlive,
    });

    it('reach the scheduler, and not the runner', async () => {
      const { baseUrl, desk, seen } = await noting();

      await post(`${baseUrl}/v1/messages`, { model: 'tiny' }, wish('batch', '1h30m'));
      await post(`${baseUrl}/v1/embeddings`, { model: 'tiny' }, wish('interactive', '-1'));
      await post(`${baseUrl}/v1/embeddings`, { model: 'tiny' }, wish('normal', '0'));

      expect(desk.requests).to.deep.equal([
        { model: 'tiny', priority: 'batch', keepAlive: 5_400_000 },
        { model: 'tiny', priority: 'interactive', keepAlive: 'forever' },
        { model: 'tiny', priority: 'normal', keepAlive: 0 },
      ]);
      for (const { headers } of seen) expect(Object.keys(headers).join()).to.not.contain('x-corral');
    });

    it('are refused when they make no sense', async () => {
      const { baseUrl, desk } = await noting();

      for (const headers of [wish('urgent', '5m'), wish('normal', 'soon')]) {
        const reply = await post(`${baseUrl}/v1/embeddings`, { model: 'tiny' }, headers);
        expect(reply.status).to.equal(400);
        expect(await reply.json()).to.have.nested.property('error.code', 'invalid_value');
      }
      expect(desk.requests).to.deep.equal([]);
    });
  });
});
