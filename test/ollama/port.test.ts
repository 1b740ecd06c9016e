import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { expect } from 'chai';
import { startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const APPS = [
  'app://obsidian.md',
  'file://',
  'tauri://localhost',
  'vscode-webview://0abc',
  'vscode-file://vscode-app',
  'chrome-extension://abcdef',
  'http://localhost',
  'http://localhost:3000',
  'https://127.0.0.1:8443',
  'http://0.0.0.0:5173',
];
const OTHERS = [
  'https://example.org',
  'http://localhost.example.org',
  'http://localhost:3000.example.org',
  'http://app:3000',
  'https://127.0.0.1.example.org',
  'null',
];

describe('the port that clients of Ollama look for', () => {
  let models: TestModels;
  let corral: Corral;
  before(async function () {
    this.timeout(60_000);
    models = await writeModels(['tiny']);
    corral = await startCorral('embedded', {
      models: models.config(['tiny']),
      listen: { port: 0, ollamaPort: 0 },
    });
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  /** As `fetch`, which lets nobody set an origin. */
  const ask = async (
    base: string | null,
    path: string,
    headers: OutgoingHttpHeaders = {},
    method = 'GET',
  ) => {
    const asked = httpRequest(`${base}${path}`, { method, headers, agent: false }).end();
    const [reply] = (await once(asked, 'response')) as [IncomingMessage];
    const text = (await reply.setEncoding('utf8').toArray()).join('');
    return { status: reply.statusCode, leave: reply.headers['access-control-allow-origin'], text };
  };

  it('says that Ollama is running, to browsers as well; the other one does not', async () => {
    for (const headers of [{}, { accept: 'text/html' }])
      expect(await ask(corral.ollamaUrl, '/', headers)).to.include({
        status: 200,
        text: 'Ollama is running',
      });
    expect(await ask(corral.ollamaUrl, '/', {}, 'HEAD')).to.include({ status: 200, text: '' });
    expect((await ask(corral.url, '/')).text).to.match(/^Corral .* is running/);
  });

  for (const origin of APPS)
    it(`lets pages of ${origin} call and read, here only`, async () => {
      for (const path of ['/', '/api/tags', '/api/version', '/v1/models']) {
        expect(await ask(corral.ollamaUrl, path, { origin }), path).to.include({
          status: 200,
          leave: origin,
        });
        expect((await ask(corral.url, path, { origin })).status, path).to.equal(403);
      }
      const preflight = { origin, 'access-control-request-method': 'POST' };
      for (const path of ['/api/chat', '/v1/chat/completions'])
        expect(await ask(corral.ollamaUrl, path, preflight, 'OPTIONS'), path).to.include({
          status: 204,
          leave: origin,
        });
    });

  for (const origin of OTHERS)
    it(`lets pages of ${origin} do nothing`, async () => {
      expect(await ask(corral.ollamaUrl, '/api/tags', { origin })).to.include({
        status: 403,
        leave: undefined,
      });
    });

  it('lets pages of programs do nothing that Ollama has not: manage, look at runners, see decisions', async () => {
    for (const path of [
      '/api/v1/models',
      '/api/decisions',
      '/metrics',
      '/slots',
      '/upstream/tiny/props',
      '/inspect',
    ])
      expect(await ask(corral.ollamaUrl, path, { origin: 'app://x' }), path).to.include({
        status: 403,
        leave: undefined,
      });
    const preflight = { origin: 'app://x', 'access-control-request-method': 'POST' };
    expect(await ask(corral.ollamaUrl, '/api/v1/models/tiny/load', preflight, 'OPTIONS')).to.include({
      status: 403,
    });
  });

  it('forgives slashes too many', async () => {
    for (const path of ['//api/tags', '/api/version/', '/api//ps'])
      expect((await ask(corral.ollamaUrl, path)).status, path).to.equal(200);
    expect((await ask(corral.ollamaUrl, '/api/tags/', {}, 'HEAD')).status).to.equal(200);
  });
});
