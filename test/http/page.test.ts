import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createPage } from '../../src/http/page.ts';
import { SmallDesk } from './support/small-desk.ts';
import { Servers } from './support/started.ts';

describe('the page at /', () => {
  const servers = new Servers();
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-page-'));
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>Corral</title>');
    await writeFile(join(folder, 'assets', 'main-a1.js'), 'void 0;');
    await writeFile(join(folder, 'secret.txt'), 'no');
  });
  afterEach(() => servers.stopAll());
  after(() => rm(folder, { recursive: true }));

  const asBrowser = { headers: { accept: 'text/html,*/*;q=0.8' } };

  it('is for browsers, while programs get a few words', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk(), { page: createPage(folder) });

    expect(await (await fetch(baseUrl, asBrowser)).text()).to.include('<title>Corral</title>');
    expect(await (await fetch(baseUrl)).text()).to.match(/^Corral 1\.2\.3 is running/);
  });

  it('answers HEAD with the headers alone', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk(), { page: createPage(folder) });
    const reply = await fetch(`${baseUrl}/assets/main-a1.js`, { method: 'HEAD' });

    expect(reply.status).to.equal(200);
    expect(reply.headers.get('content-type')).to.match(/^text\/javascript/);
    expect(await reply.text()).to.equal('');
  });

  it('has no other files than its own', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk(), { page: createPage(folder) });

    for (const path of [
      '/assets/..%2fsecret.txt',
      '/assets/%2e%2e/secret.txt',
      '/assets/',
      '/assets/none.js',
    ])
      expect((await fetch(baseUrl + path)).status, path).to.equal(404);
  });

  it('says how to build it where it is not built', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk(), { page: createPage(join(folder, 'none')) });
    const reply = await fetch(baseUrl, asBrowser);

    expect(reply.status).to.equal(200);
    expect(await reply.text()).to.include('npm run build');
  });

  it('leads to a view by the path that somebody has typed, and programs nowhere', async () => {
    const { baseUrl } = await servers.corral(new SmallDesk(), { page: createPage(folder) });
    const reply = await fetch(`${baseUrl}/charts`, { ...asBrowser, redirect: 'manual' });

    expect(reply.status).to.equal(302);
    expect(reply.headers.get('location')).to.equal('./#/charts');
    expect((await fetch(`${baseUrl}/charts`)).status).to.equal(404);
    expect((await fetch(`${baseUrl}/nowhere`, asBrowser)).status).to.equal(404);
  });
});
