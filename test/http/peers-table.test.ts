import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const doc = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
const [, section = ''] = doc.split('## Beside llama-swap, Ollama and llama.cpp');
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
  .map((line) => line.slice(1, -1).split('|'));

/** What cannot be asked in passing: it goes on, or unloads what others use. */
const NOT_ASKED = /^GET \/(?:logs\/stream|api\/events|models\/sse)/;

describe('the table beside other servers', function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  before(async () => {
    models = await writeModels(['tiny', 'other']);
    corral = await startCorral('embedded', { models: models.config(['tiny', 'other']) });
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  it('has no empty cell', () => {
    expect(rows.length).to.be.greaterThan(80);
    for (const cells of rows) {
      expect(cells, cells.join('|')).to.have.length(5);
      for (const cell of cells) expect(cell.trim(), cells.join('|')).to.not.equal('');
    }
  });

  it('says of each path what Corral answers', async () => {
    let asked = 0;
    for (const [paths = '', , , , ours = ''] of rows)
      for (const [, method = '', path = ''] of paths.matchAll(/`(GET|POST|PUT|DELETE) ([^`]+)`/g)) {
        const route = `${method} ${path}`;
        if (NOT_ASKED.test(route)) continue;
        const url =
          corral.url + path.replace(/\{(?:name|model|id)\}/g, 'tiny').replace('?model=', '?model=tiny');
        const reply = await fetch(url, { method, ...(method === 'POST' && { body: '{}' }) });
        const text = await reply.text();
        const said = /^(404|405|501)/.exec(ours.trim())?.[1];
        asked += 1;
        if (said) expect(reply.status, route).to.equal(Number(said));
        else expect(text, route).to.not.match(/route_not_found|method_not_allowed|There is no|there is no/);
      }
    expect(asked).to.be.greaterThan(80);
  });
});
