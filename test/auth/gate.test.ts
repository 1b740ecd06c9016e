import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { createGuard } from '../../src/auth/guard.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import type { Config, ConfigInput } from '../../src/config/schema.ts';
import { SmallDesk } from '../http/support/small-desk.ts';
import { RawClient, until } from '../http/support/clients.ts';
import { Servers, type StartedCorral } from '../http/support/started.ts';
import { aGuard, keysOf } from '../support/guard.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

describe('the gate', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  const start = (config: Partial<ConfigInput> = {}): Promise<StartedCorral> =>
    servers.corral(new SmallDesk(), { guard: aGuard(config) });

  /** As `fetch`, which lets nobody set `Host` or `Sec-Fetch-Site`. */
  const ask = async (
    { port }: StartedCorral,
    path: string,
    headers: OutgoingHttpHeaders = {},
    method = 'GET',
    body = '',
  ): Promise<Answer> => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false });
    request.end(body);
    const [reply] = (await once(request, 'response')) as [IncomingMessage];
    const chunks = await reply.setEncoding('utf8').toArray();
    return { status: reply.statusCode ?? 0, headers: reply.headers, text: chunks.join('') };
  };
  const statusOf = async (
    corral: StartedCorral,
    headers: OutgoingHttpHeaders,
    method = 'GET',
  ): Promise<number> => (await ask(corral, '/v1/models', headers, method)).status;

  describe('host names', () => {
    it('are those of this machine, addresses, and what is listed', async () => {
      const corral = await start({ listen: { allowedHosts: ['gpu.example.org', '*.corral.example'] } });
      const of = (host: string): Promise<number> => statusOf(corral, { host });

      for (const host of ['localhost', 'LocalHost:8686', 'a.localhost:1', '127.0.0.1', '[::1]:8686'])
        expect(await of(host), host).to.equal(200);
      for (const host of ['192.168.1.5:8686', '[fe80::1]', 'gpu.example.org', 'GPU.example.org:443'])
        expect(await of(host), host).to.equal(200);
      expect(await of('a.corral.example')).to.equal(200);
      for (const host of [
        'evil.example',
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        'corral.example',
      ])
        expect(await of(host), host).to.equal(403);
      for (const host of ['xlocalhost', 'evil.gpu.example.org', '[evil]', ':8686'])
        expect(await of(host), host).to.equal(403);
    });

    it('are named where they are refused, with what to do', async () => {
      const { text } = await ask(await start(), '/health', { host: 'evil.example' });

      expect(JSON.parse(text).error).to.include({ code: 'host_not_allowed', type: 'permission_error' });
      expect(text).to.match(/evil\.example.*listen\.allowedHosts/);
    });

    it('are not asked of HTTP/1.0, which health checks speak', async () => {
      const { port } = await start();
      const client = new RawClient(port);
      client.socket.write('GET /health HTTP/1.0\r\n\r\n');
      await until('the reply', () => client.closed);

      expect(client.text).to.match(/^HTTP\/1\.1 200/);
    });
  });

  describe('web pages', () => {
    it("may call if they are Corral's own, and programs may", async () => {
      const corral = await start();
      const host = `127.0.0.1:${corral.port}`;
      const of = (headers: OutgoingHttpHeaders): Promise<number> => statusOf(corral, { host, ...headers });

      expect(await of({})).to.equal(200);
      expect(await of({ origin: `http://${host}` })).to.equal(200);
      expect(await of({ 'sec-fetch-site': 'same-origin', origin: 'https://proxy' })).to.equal(200);
      expect(await of({ 'sec-fetch-site': 'none' })).to.equal(200);
      expect(await of({ origin: 'http://elsewhere.example' })).to.equal(403);
      expect(await of({ origin: `http://127.0.0.1:${corral.port + 1}` })).to.equal(403);
      expect(await of({ origin: 'null' })).to.equal(403);
      expect(await of({ 'sec-fetch-site': 'cross-site' })).to.equal(403);
      expect(await of({ 'sec-fetch-site': 'same-site' })).to.equal(403);
    });

    it("may link to Corral's page, but not to what it answers with, nor send forms, nor frame it", async () => {
      const corral = await start();
      const link = {
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      };
      const of = async (path: string, more: OutgoingHttpHeaders = {}, method?: string): Promise<number> =>
        (await ask(corral, path, { ...link, ...more }, method)).status;

      expect(await of('/')).to.equal(200);
      expect(await of('/props?model=tiny&autoload=true')).to.equal(403);
      expect(await of('/', { origin: 'http://elsewhere.example' }, 'POST')).to.equal(403);
      expect(await of('/', { 'sec-fetch-dest': 'iframe' })).to.equal(403);
    });

    it('are let by list, exactly or by a scheme that no web site has', async () => {
      const corral = await start({ listen: { allowedOrigins: ['https://chat.example', 'app://*'] } });
      const of = (origin: string, site?: string): Promise<number> =>
        statusOf(corral, { origin, ...(site && { 'sec-fetch-site': site }) });

      expect(await of('https://chat.example', 'cross-site')).to.equal(200);
      expect(await of('app://obsidian.md')).to.equal(200);
      expect(await of('http://chat.example')).to.equal(403);
      expect(await of('https://chat.example:8443')).to.equal(403);
      expect(await of('https://chat.example.evil.example')).to.equal(403);
    });
  });

  describe('CORS', () => {
    const listed = { listen: { allowedOrigins: ['https://chat.example'] } };
    const preflight = {
      origin: 'https://chat.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    };

    it('answers a preflight of a listed page, without a key, on every path', async () => {
      const corral = await start({ ...listed, keys: keysOf({ one: { key: 'k' } }) });
      for (const path of ['/v1/chat/completions', '/api/chat', '/api/v1/drain', '/v2/none']) {
        const { status, headers, text } = await ask(corral, path, preflight, 'OPTIONS');

        expect([status, text], path).to.deep.equal([204, '']);
        expect(headers['access-control-allow-origin']).to.equal('https://chat.example');
        expect(headers['access-control-allow-headers']).to.equal('authorization,content-type');
        expect(headers['access-control-allow-methods']).to.contain('POST');
        expect(headers['vary']).to.contain('origin');
      }
    });

    it('lets a listed page read replies, refusals among them', async () => {
      const corral = await start({ ...listed, keys: keysOf({ one: { key: 'k' } }) });
      const { origin } = preflight;
      const well = await ask(corral, '/v1/models', { origin, authorization: 'Bearer k' });
      const refused = await ask(corral, '/v1/models', { origin });

      expect([well.status, refused.status]).to.deep.equal([200, 401]);
      for (const { headers } of [well, refused]) {
        expect(headers['access-control-allow-origin']).to.equal(origin);
        expect(headers['access-control-expose-headers']).to.contain('Retry-After');
        expect(headers['vary']).to.equal('origin');
      }
    });

    it('has nothing for others', async () => {
      const corral = await start(listed);
      const origin = 'https://evil.example';
      const asked = await ask(corral, '/v1/models', { ...preflight, origin }, 'OPTIONS');
      const sent = await ask(corral, '/v1/models', { origin });

      expect([asked.status, sent.status]).to.deep.equal([403, 403]);
      for (const { headers } of [asked, sent])
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).to.deep.equal([]);
    });
  });

  describe('keys', () => {
    const keys = keysOf({ one: { key: 'k-one' }, two: { key: 'k-two', scopes: ['read'] } });

    it("are taken as OpenAI's, Anthropic's and Ollama's clients send them", async () => {
      const corral = await start({ keys });

      expect(await statusOf(corral, { authorization: 'Bearer k-one' })).to.equal(200);
      expect(await statusOf(corral, { authorization: 'bearer   k-two' })).to.equal(200);
      expect(await statusOf(corral, { 'x-api-key': 'k-two' })).to.equal(200);
      expect(await statusOf(corral, { authorization: 'Basic k-one' })).to.equal(401);
      expect((await ask(corral, '/v1/models?key=k-one&api_key=k-one')).status).to.equal(401);
    });

    it('are asked for in the words of RFC 6750', async () => {
      const corral = await start({ keys });
      const challenge = async (headers: OutgoingHttpHeaders): Promise<string | undefined> =>
        (await ask(corral, '/completion', headers, 'POST')).headers['www-authenticate'];

      expect(await challenge({})).to.equal('Bearer realm="corral"');
      expect(await challenge({ 'x-api-key': 'no' })).to.equal('Bearer realm="corral", error="invalid_token"');
      expect(await challenge({ 'x-api-key': 'k-two' })).to.equal(
        'Bearer realm="corral", error="insufficient_scope", scope="inference"',
      );
    });

    it('are refused in the form of each API', async () => {
      const corral = await start({ keys });
      const refusal = async (path: string): Promise<unknown> =>
        JSON.parse((await ask(corral, path, { 'x-api-key': 'k-two' }, 'POST', '{}')).text);
      const message = "The key 'two' may not do this: it has read, and inference is needed.";

      expect(await refusal('/v1/chat/completions')).to.deep.equal({
        error: { message, type: 'permission_error', code: 'forbidden', param: null },
      });
      expect(await refusal('/v1/messages')).to.deep.equal({
        type: 'error',
        error: { type: 'permission_error', message },
      });
      expect(await refusal('/completion')).to.deep.equal({
        error: { code: 403, message, type: 'permission_error' },
      });
      expect(await refusal('/api/chat')).to.deep.equal({ error: message });
    });

    it('open what their scopes say at a runner behind /upstream, and unknown commands to managers alone', async () => {
      const corral = await start({
        keys: keysOf({
          asker: { key: 'i', scopes: ['inference'] },
          reader: { key: 'r', scopes: ['read'] },
          manager: { key: 'm', scopes: ['manage'] },
        }),
      });
      const open = async (method: string, path: string): Promise<string> => {
        let opened = '';
        for (const key of ['i', 'r', 'm']) {
          const { status } = await ask(corral, `/upstream/tiny${path}`, { 'x-api-key': key }, method, '');
          if (status !== 403) opened += key;
        }
        return opened;
      };

      expect(await open('POST', '/v1/chat/completions')).to.equal('i');
      expect(await open('POST', '/tokenize')).to.equal('i');
      expect(await open('GET', '/props')).to.equal('ir');
      expect(await open('GET', '/slots')).to.equal('r');
      expect(await open('GET', '/s%6cots')).to.equal('r');
      expect(await open('POST', '/props')).to.equal('m');
      expect(await open('POST', '/slots/0')).to.equal('m');
      expect(await open('POST', '/lora-adapters')).to.equal('m');
      expect(await open('DELETE', '/anything')).to.equal('m');
    });

    it('leave a body unread that they do not open the way for', async () => {
      const { port } = await start({ keys });
      const client = new RawClient(port);
      client.socket.write(
        'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n',
      );
      await until('the reply', () => client.text.includes('missing_api_key'));
      client.socket.end();

      expect(client.text).to.match(/^HTTP\/1\.1 401/);
      expect(client.text).to.not.contain('100 Continue');
    });
  });

  describe('the rate of a key', () => {
    it('is counted by key, and told with the time to wait in the form of the API', async () => {
      const corral = await start({
        keys: keysOf({
          slow: { key: 'slow', requestsPerMinute: 2 },
          usual: { key: 'usual' },
        }),
        limits: { requestsPerMinute: 3 },
      });
      const statuses = async (key: string, times: number): Promise<number[]> => {
        const seen = [];
        for (let i = 0; i < times; i++) seen.push(await statusOf(corral, { 'x-api-key': key }));
        return seen;
      };

      expect(await statuses('slow', 3)).to.deep.equal([200, 200, 429]);
      expect(await statuses('usual', 4)).to.deep.equal([200, 200, 200, 429]);
      const { headers, text } = await ask(corral, '/v1/messages', { 'x-api-key': 'slow' }, 'POST', '{}');
      expect(Number(headers['retry-after'])).to.be.within(1, 60);
      expect(JSON.parse(text).error.type).to.equal('rate_limit_error');
      expect((await ask(corral, '/health')).status).to.equal(200);
    });

    it('is unlimited where that is said, and nobody is counted where no key is asked for', async () => {
      const keyed = await start({
        keys: keysOf({ one: { key: 'k' } }),
        limits: { requestsPerMinute: 'unlimited' },
      });
      const open = await start({ limits: { requestsPerMinute: 1 } });

      for (let i = 0; i < 3; i++) {
        expect(await statusOf(keyed, { 'x-api-key': 'k' })).to.equal(200);
        expect(await statusOf(open, {})).to.equal(200);
      }
    });
  });

  it('goes by the configuration that counts at the moment', async () => {
    const configs = ['old', 'new'].map((key) => parseConfig(stringify({ keys: keysOf({ one: { key } }) })));
    let [current] = configs;
    const guard = createGuard(() => current as Config);
    const corral = await servers.corral(new SmallDesk(), { guard });
    const of = (key: string): Promise<number> => statusOf(corral, { 'x-api-key': key });

    expect([await of('old'), await of('new')]).to.deep.equal([200, 401]);
    current = configs[1];
    expect([await of('old'), await of('new')]).to.deep.equal([401, 200]);
  });

  it('notes by the name of the key who has asked', async () => {
    const corral = await start({ keys: keysOf({ 'open-webui': { key: 'k' } }) });
    await ask(corral, '/v1/chat/completions', { 'x-api-key': 'k' }, 'POST', '{}');
    await until('it is noted', () => corral.lines.some(({ event }) => event === 'request.ended'));

    expect(corral.lines.find(({ event }) => event === 'request.ended')).to.include({ caller: 'open-webui' });
  });

  it('notes who was refused, without key and query', async () => {
    const corral = await start({ keys: keysOf({ one: { key: 'right-key' } }) });
    await ask(corral, '/v1/models?key=secret-key', { 'x-api-key': 'secret-key' });

    expect(corral.lines.find(({ event }) => event === 'request.refused')).to.include({
      method: 'GET',
      path: '/v1/models',
      status: 401,
      code: 'invalid_api_key',
      remote: '127.0.0.1',
    });
    expect(JSON.stringify(corral.lines)).to.not.contain('secret-key');
  });
});
