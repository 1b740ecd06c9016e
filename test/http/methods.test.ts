import { expect } from 'chai';
import { rows } from '../auth/support/rows.ts';
import { startCorral, type Corral } from '../support/corral.ts';

/** Some of what there is besides the routes that are named one by one. */
const more = ['GET /api/v1/status', 'POST /api/v1/drain', 'GET /api/v1/models/none', 'GET /assets/none.js'];
const paths = new Map<string, Set<string>>();
for (const route of [...rows.map(([one]) => one), ...more]) {
  const [method = '', path = ''] = route.split(' ');
  // What there is not, and what is a runner's.
  if (['/none', '/api/none'].includes(path) || path.startsWith('/upstream/')) continue;
  if (route === 'DELETE /v1/chat/completions') continue;
  paths.set(path, (paths.get(path) ?? new Set()).add(method));
}

describe('HEAD and OPTIONS', function () {
  this.timeout(60_000);
  let corral: Corral;
  before(async () => {
    corral = await startCorral('embedded', { inspect: true });
  });
  after(() => corral.close());

  it('are answered at every path: OPTIONS with what it takes', async () => {
    for (const [path, methods] of paths) {
      const { status, headers } = await fetch(corral.url + path, { method: 'OPTIONS' });
      const allowed = headers.get('allow')?.split(', ') ?? [];

      expect(status, path).to.equal(204);
      for (const method of methods) if (method !== 'OPTIONS') expect(allowed, path).to.include(method);
    }
  });

  it('HEAD as GET without a body, and 405 where there is no GET or where it does something', async () => {
    for (const [path, methods] of paths) {
      const head = await fetch(corral.url + path, { method: 'HEAD' });
      const isRead = methods.has('GET') && path !== '/unload';

      expect(await head.text(), path).to.equal('');
      if (!isRead) expect(head.status, path).to.be.oneOf(path.startsWith('/api/blobs') ? [404] : [405]);
      else if (!/stream$|events$|sse$/.test(path)) {
        const get = await fetch(corral.url + path);
        await get.text();
        expect(head.status, path).to.equal(get.status);
      } else expect(head.status, path).to.equal(200);
    }
  });
});
