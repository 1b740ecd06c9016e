import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import { ServiceError } from '../../src/errors.ts';
import type { Health } from '../../src/http/router.ts';
import { sendText } from '../../src/http/replies.ts';
import { chatBody, postChat, RawClient, until } from './support/clients.ts';
import { SmallDesk } from './support/small-desk.ts';
import { aModel, Servers } from './support/started.ts';

describe('routes', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  const listedAs = (id: string) => ({
    id,
    object: 'model',
    created: 0,
    owned_by: 'corral',
    aliases: ['tiny', 'small'].filter((name) => name !== id),
    context_length: 2048,
    max_model_len: 2048,
    capabilities: [],
    architecture: { input_modalities: ['text'], output_modalities: ['text'] },
    status: { value: 'unloaded' },
    meta: { n_ctx: 2048 },
    corral: {
      name: 'tiny',
      aliases: ['small'],
      state: 'unloaded',
      context_tokens: 2048,
      need_bytes: 1_000_000,
      devices: {},
    },
  });

  it('lists the models under all their names, with what Corral knows of them', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk());

    const reply = await fetch(`${baseUrl}/v1/models?limit=3`);

    expect(reply.headers.get('content-type')).to.equal('application/json; charset=utf-8');
    expect(await reply.json()).to.deep.equal({
      object: 'list',
      data: ['tiny', 'tiny:latest', 'small', 'small:latest'].map(listedAs),
    });
  });

  it('shows one model by its name, its alias, or a name with slashes', async () => {
    const models = () => [aModel(), aModel({ name: 'org/big model', aliases: [] })];
    const { baseUrl } = await servers.corral(new SmallDesk(), { models });

    for (const name of ['tiny', 'tiny:latest', 'small', 'small:latest'])
      expect(await (await fetch(`${baseUrl}/v1/models/${name}`)).json()).to.deep.equal(listedAs(name));
    expect(await (await fetch(`${baseUrl}/v1/models/Small`)).json()).to.deep.equal(listedAs('tiny'));
    for (const path of ['org/big%20model', 'org%2Fbig%20model']) {
      expect(await (await fetch(`${baseUrl}/v1/models/${path}`)).json()).to.include({ id: 'org/big model' });
    }
  });

  it('adds :latest to no name that has a tag, and to none that another model has', async () => {
    const models = () => [
      aModel({ name: 'a', aliases: ['hub:8080/a', 'hub/a:q4'] }),
      aModel({ name: 'a:latest', aliases: [] }),
    ];
    const { baseUrl } = await servers.corral(new SmallDesk(), { models });

    const { data } = (await (await fetch(`${baseUrl}/v1/models`)).json()) as {
      data: { id: string; corral: { name: string } }[];
    };

    expect(data.map(({ id, corral }) => [id, corral.name])).to.deep.equal([
      ['a', 'a'],
      ['hub:8080/a', 'a'],
      ['hub:8080/a:latest', 'a'],
      ['hub/a:q4', 'a'],
      ['a:latest', 'a:latest'],
    ]);
  });

  it('lists all names for Anthropic, and shows one', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk());
    const headers = { 'anthropic-version': '2023-06-01' };

    const list = await (await fetch(`${baseUrl}/v1/models`, { headers })).json();
    const one = await (await fetch(`${baseUrl}/v1/models/small`, { headers })).json();

    expect(list).to.include({ first_id: 'tiny', last_id: 'small:latest' });
    expect(one).to.include({ type: 'model', id: 'small', display_name: 'small' });
  });

  it('forgives slashes too many, before a path, in it and after it', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk());

    for (const path of ['//v1/models', '/v1//models/', '/v1/models/?limit=3', '//api/version/', '//health/'])
      expect((await fetch(baseUrl + path)).status, path).to.equal(200);
  });

  it('answers 404 for a model that is not configured', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk());

    for (const path of ['none', '%'])
      expect((await fetch(`${baseUrl}/v1/models/${path}`)).status).to.equal(404);
  });

  it('answers 404 and 405 with an error body', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk());

    const notFound = await fetch(`${baseUrl}/v2/none`, { method: 'POST', body: 'x' });
    const notAllowed = await fetch(`${baseUrl}/v1/chat/completions`);

    expect(notFound.status).to.equal(404);
    expect(await notFound.json()).to.have.nested.property('error.code', 'route_not_found');
    expect(notAllowed.status).to.equal(405);
    expect(notAllowed.headers.get('allow')).to.equal('POST, OPTIONS');
    expect(await notAllowed.json()).to.have.nested.property('error.code', 'method_not_allowed');
  });

  it('says what is wrong with a base URL that ends with /v1 where it should not', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk());

    for (const path of ['/v1/v1/messages', '/v1/api/chat']) {
      const reply = await fetch(`${baseUrl}${path}`, { method: 'POST', body: '{}' });
      expect(reply.status).to.equal(404);
      expect(await reply.text()).to.contain('base URL should not end with /v1');
    }
  });

  it('answers OPTIONS with what is allowed, and without leave for other origins', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk());

    const reply = await fetch(`${baseUrl}/v1/models`, {
      method: 'OPTIONS',
      headers: { origin: 'http://a.test' },
    });

    expect(reply.status).to.equal(204);
    expect(reply.headers.get('allow')).to.equal('GET, HEAD, OPTIONS');
    expect(reply.headers.get('access-control-allow-origin')).to.equal(null);
  });

  it('takes repeated slashes for one, in front of the query', async () => {
    const { baseUrl, lines } = await servers.corral(new SmallDesk(), {
      management: (request, response) => sendText(response, 200, JSON.stringify(request.url)),
    });

    expect((await fetch(`${baseUrl}//v1//models`)).status).to.equal(200);
    expect((await fetch(`${baseUrl}/v1//models//tiny`)).status).to.equal(200);
    expect((await fetch(`${baseUrl}//`)).status).to.equal(200);
    expect(await (await fetch(`${baseUrl}//api//v1/x?of=a//b`)).json()).to.equal('/api/v1/x?of=a//b');
    expect((await fetch(`${baseUrl}//v1//chat/completions`, { method: 'POST', body: '{}' })).status).to.equal(
      400,
    );
    await until('its line', () => lines.length === 1);
    expect(lines[0]).to.include({ path: '/v1/chat/completions' });
  });

  it('answers OPTIONS and HEAD everywhere', async () => {
    const metrics = (_: unknown, response: ServerResponse): void => sendText(response, 200, 'corral_up 1\n');
    const { baseUrl } = await servers.corral(new SmallDesk(), { metrics });
    const of = async (method: string, path: string) => {
      const { status, headers } = await fetch(baseUrl + path, { method });
      return [status, headers.get('allow')];
    };

    expect(await of('HEAD', '/metrics')).to.deep.equal([200, null]);
    expect(await of('OPTIONS', '/metrics')).to.deep.equal([204, 'GET, HEAD, OPTIONS']);
    expect(await of('OPTIONS', '/props')).to.deep.equal([204, 'GET, HEAD, OPTIONS']);
    expect(await of('OPTIONS', '/api/chat')).to.deep.equal([204, 'POST, OPTIONS']);
    expect(await of('OPTIONS', '/api/tags')).to.deep.equal([204, 'GET, HEAD, OPTIONS']);
    expect(await of('HEAD', '/api/tags')).to.deep.equal([200, null]);
    expect(await of('HEAD', '/v1/chat/completions')).to.deep.equal([405, 'POST, OPTIONS']);
    expect(await of('HEAD', '/api/chat')).to.deep.equal([405, 'POST, OPTIONS']);
    expect((await of('HEAD', '/none'))[0]).to.equal(404);
  });

  it('answers HEAD like GET without the body', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk());

    const reply = await fetch(`${baseUrl}/v1/models`, { method: 'HEAD' });

    expect(reply.status).to.equal(200);
    expect(Number(reply.headers.get('content-length'))).to.be.greaterThan(100);
    expect(await reply.text()).to.equal('');
  });

  it('tells whether it takes requests', async () => {
    let health: Health = 'starting';
    const { baseUrl } = await servers.corral(new SmallDesk(), { health: () => health });

    for (const [state, status] of [
      ['starting', 503],
      ['ok', 200],
      ['draining', 503],
    ] as const) {
      health = state;
      const reply = await fetch(`${baseUrl}/health`);
      expect(reply.status).to.equal(status);
      expect(await reply.json()).to.deep.equal({ status: state });
    }
  });

  it('says at / what it is', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk());

    expect(await (await fetch(baseUrl)).text()).to.match(/^Corral 1\.2\.3/);
  });

  it('hands everything under /api/v1/ to the management handler', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk(), {
      management: (request, response) => sendText(response, 200, JSON.stringify(request.url)),
    });

    expect(await (await fetch(`${baseUrl}/api/v1/runners?all=1`)).json()).to.equal('/api/v1/runners?all=1');
  });

  it('understands a target in absolute form', async () => {
    const { port } = await servers.corral(new SmallDesk());
    const client = new RawClient(port);

    client.socket.write(
      'GET http://corral.test/health HTTP/1.1\r\nHost: corral.test\r\nConnection: close\r\n\r\n',
    );

    await until('the reply', () => client.closed);
    expect(client.text)
      .to.match(/^HTTP\/1\.1 200 OK/)
      .and.to.match(/\{"status":"ok"\}$/);
  });

  describe('refusals before a lease', () => {
    const cases = [
      { title: 'bad JSON', body: '{"model":"tiny",', code: 'invalid_json' },
      { title: 'an array', body: '["tiny"]', code: 'invalid_json' },
      { title: 'an empty body', body: '', code: 'invalid_json' },
      { title: 'a missing model', body: '{"messages":[]}', code: 'model_required' },
      { title: 'an empty model', body: '{"model":""}', code: 'model_required' },
      { title: 'a model that is no string', body: '{"model":7}', code: 'model_required' },
    ];
    for (const { title, body, code } of cases) {
      it(`answers 400 for ${title}`, async () => {
        const desk = new SmallDesk();
        const { baseUrl, lines } = await servers.corral(desk);

        const reply = await postChat(baseUrl, { body });

        expect(reply.status).to.equal(400);
        expect(await reply.json())
          .to.have.property('error')
          .that.includes({ type: 'invalid_request_error', code });
        expect(desk.requests).to.deep.equal([]);
        await until('its line in the log', () => lines.length === 1);
        expect(lines[0]).to.include({ outcome: 'refused', status: 400, model: null, runnerId: null });
      });
    }

    it('names the models to a client that named none', async () => {
      const { baseUrl } = await servers.corral(new SmallDesk());

      const reply = await postChat(baseUrl, { body: '{}' });

      expect(await reply.json()).to.deep.equal({
        error: {
          message: 'The field "model" is missing or empty. Configured models: tiny.',
          type: 'invalid_request_error',
          code: 'model_required',
          param: 'model',
        },
      });
    });
  });

  describe('refusals by the desk', () => {
    it('answers 404 for an unknown model', async () => {
      const { baseUrl } = await servers.corral(new SmallDesk());

      const reply = await postChat(baseUrl, { body: chatBody({ model: 'none' }) });

      expect(reply.status).to.equal(404);
      expect(await reply.json()).to.deep.equal({
        error: {
          message: 'No model is called none.',
          type: 'not_found_error',
          code: 'model_not_found',
          param: 'model',
        },
      });
    });

    it('passes on when to try again', async () => {
      const desk = new SmallDesk();
      desk.refusal = new ServiceError({
        code: 'queue_full',
        message: '64 requests wait.',
        retryAfterSeconds: 1.5,
      });
      const { baseUrl } = await servers.corral(desk);

      const reply = await postChat(baseUrl);

      expect(reply.status).to.equal(503);
      expect(reply.headers.get('retry-after')).to.equal('2');
      expect(await reply.json()).to.have.nested.property('error.type', 'overloaded_error');
    });

    it('keeps the text of an unforeseen error to itself', async () => {
      const desk = new SmallDesk();
      desk.refusal = new Error('secret detail');
      const { baseUrl, lines } = await servers.corral(desk);

      const reply = await postChat(baseUrl);

      expect(reply.status).to.equal(500);
      expect(await reply.text()).to.not.match(/secret|at /);
      await until('both lines', () => lines.length === 2);
      expect(lines[0]).to.have.nested.property('err.message', 'secret detail');
      expect(lines[1]).to.include({ event: 'request.ended', status: 500 });
    });
  });
});
