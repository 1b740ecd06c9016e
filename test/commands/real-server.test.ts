import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { findRealServer, realServer } from '../../scripts/real-server-cache.ts';
import { startCorral, until, type Corral } from '../support/corral.ts';

const packages = findRealServer();

/** Draws a picture of a text, with what the server itself reads pictures with. */
const DRAW = `
import sys
from PIL import Image, ImageDraw, ImageFont
picture = Image.new('RGB', (640, 160), 'white')
font = ImageFont.load_default(size=56)
ImageDraw.Draw(picture).text((30, 40), sys.argv[2], fill='black', font=font)
picture.save(sys.argv[1])
`;

describe('a real server that is no llama-server', function () {
  this.timeout(120_000);
  if (packages === null) {
    it(`is LEFT OUT (no ${realServer.title}, npm run real-server fetches it)`, () => {
      console.warn(`\n*** A real server of another kind: LEFT OUT, npm run real-server fetches it.\n`);
    });
    return;
  }
  let corral: Corral;
  before(async () => {
    corral = await startCorral('embedded', {
      models: {
        reader: {
          command: ['python3', '-m', 'rapidocr_api.main', '-ip', '127.0.0.1', '-p', '{port}'],
          // Without a way out: what it needs it has.
          env: { PYTHONPATH: packages, HTTPS_PROXY: 'http://127.0.0.1:1', OMP_NUM_THREADS: '1' },
          ready: { path: '/' },
          paths: ['/ocr'],
          memory: { CPU: '700MiB' },
          slots: 1,
        },
      },
    });
  });
  after(() => corral.close());

  it('reads a picture that a client has sent, and is unloaded again', async () => {
    const file = join(corral.folder, 'picture.png');
    const env = { ...process.env, PYTHONPATH: packages };
    execFileSync('python3', ['-c', DRAW, file, 'Corral serves this'], { env });
    const form = new FormData();
    form.set('image_file', new Blob([readFileSync(file)], { type: 'image/png' }), 'picture.png');

    const reply = await fetch(`${corral.url}/ocr`, { method: 'POST', body: form });

    const text = await reply.text();
    expect(reply.status, text).to.equal(200);
    expect(text).to.include('Corral serves this');
    expect(reply.headers.get('x-corral-runner')).to.be.a('string');
    expect(corral.status().runners.map(({ model, state }) => [model, state])).to.deep.equal([
      ['reader', 'idle'],
    ]);
    await corral.post('/api/v1/models/reader/unload', {});
    await until('it has gone', () => corral.status().runners.length === 0);
  });
});
