import { gzipSync } from 'node:zlib';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { builtPage } from '../../src/http/page.ts';
import { withPage } from './support/with-page.ts';

/** Bytes over the wire for what the first view needs. */
const FIRST_VIEW_BYTES = 60_000;

withPage('the served page', {}, (given) => {
  it('connects, and says so', async () => {
    await given.page.getByText('live', { exact: true }).waitFor();

    expect(await given.page.title()).to.equal('Overview · Corral');
  });

  it('needs less than 60 kB for its first view, and nothing from elsewhere', async () => {
    const page = await given.open('');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.reload({ waitUntil: 'networkidle' });
    const paths = asked
      .filter((url) => url.startsWith('http'))
      .map((url) => url.slice(given.corral.url.length));
    const files = paths.filter((path) => path.startsWith('/assets/'));
    const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(builtPage, file))).length, 0);

    expect(asked.filter((url) => !/^(http|ws):\/\/127\.0\.0\.1:/.test(url))).to.deep.equal([]);
    expect(files.length).to.be.above(1);
    expect(bytes).to.be.below(FIRST_VIEW_BYTES);
  });

  it('goes to a view by its address', async () => {
    for (const name of ['charts', 'timeline', 'terminal', 'playground', 'simulate', '']) {
      await given.go(`/${name}`);
      await given.page.locator(`main[data-view="/${name}"]`).waitFor();
    }
  });

  it('is sent squeezed, and kept by the browser until it changes', async () => {
    const { url } = given.corral;
    const [asset = ''] = readdirSync(join(builtPage, 'assets')).filter((name) => name.endsWith('.js'));
    const first = await fetch(url, { headers: { accept: 'text/html' } });
    const etag = first.headers.get('etag') ?? '';
    const again = await fetch(url, { headers: { accept: 'text/html', 'if-none-match': etag } });
    const script = await fetch(`${url}/assets/${asset}`);

    expect(first.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(first.headers.get('cache-control')).to.equal('no-cache');
    expect(first.headers.get('content-security-policy')).to.include("default-src 'self'");
    expect(again.status).to.equal(304);
    expect(script.headers.get('content-encoding')).to.equal('gzip');
    expect(script.headers.get('content-type')).to.equal('text/javascript; charset=utf-8');
    expect(script.headers.get('cache-control')).to.include('immutable');
  });
});
