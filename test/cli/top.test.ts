import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { hashOf, newKey } from '../../src/auth/key.ts';
import { pictureOf, type Scene } from '../../src/cli/top/picture.ts';
import { chat, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { selfSigned, writeSelfSigned } from '../support/self-signed.ts';
import { InTerminal, placeIn, runCorral } from './support/run-cli.ts';

const GIB = 1024 ** 3;
const SHOW_CURSOR = '\u001B[?25h';
const LEAVE_SCREEN = '\u001B[?1049l';
const NOW = Date.parse('2026-01-02T03:04:05Z');

describe('corral top', function () {
  this.timeout(120_000);
  let models: TestModels;
  let corral: Corral;
  let top: InTerminal | null = null;
  const start = (port = 0): Promise<Corral> =>
    startCorral('embedded', { listen: { port }, models: models.config(['tiny']) });
  const open = (cols: number, rows: number): InTerminal => {
    top = new InTerminal(placeIn(corral.folder, corral.url), { cols, rows }, 'top');
    return top;
  };
  before(async () => {
    models = await writeModels(['tiny']);
    corral = await start();
  });
  afterEach(() => {
    top?.kill();
    top = null;
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  it('follows what happens, fits the terminal, and leaves it as it was', async () => {
    const shown = open(80, 24);
    await until('it shows the devices', () => shown.text.includes('Nothing is loaded.'));
    await corral.post('/v1/chat/completions', chat('tiny'));
    await until('it shows the runner', () => /runner-1\s+tiny\s+idle\s+0\/2/.test(shown.text));
    await until('it shows the decision', () => /loaded\s+tiny\s+ready after/.test(shown.text));
    expect(Math.max(...shown.lines().map((line) => line.length))).to.be.at.most(80);

    const from = shown.text.length;
    shown.resize(40, 12);
    await until('it is drawn anew', () => shown.text.indexOf('RUNNER', from) !== -1);
    const after = shown.lines(shown.text.indexOf('\u001B[2J', from));
    expect(Math.max(...after.map((line) => line.length))).to.be.at.most(40);

    shown.type('q');
    expect(await shown.exit).to.equal(0);
    expect(shown.text.startsWith('\u001B[?1049h')).to.equal(true);
    expect(shown.text).to.contain(`${SHOW_CURSOR}${LEAVE_SCREEN}`);
    expect(shown.text.split(LEAVE_SCREEN)[1]).to.be.oneOf(['', SHOW_CURSOR]);
  });

  it('leaves on Ctrl-C, too', async () => {
    const shown = open(80, 24);
    await until('it shows the devices', () => shown.text.includes('CPU'));

    shown.type('\u0003');

    expect(await shown.exit).to.equal(0);
    expect(shown.text.split(LEAVE_SCREEN)[1]).to.be.oneOf(['', SHOW_CURSOR]);
  });

  it('says that the connection is lost, and goes on when Corral is back', async () => {
    const port = Number(new URL(corral.url).port);
    const shown = open(80, 24);
    await until('it shows the devices', () => shown.text.includes('CPU'));

    await corral.close();
    await until('it says so', () => shown.text.includes('connection lost'));
    corral = await start(port);
    const from = shown.text.length;
    await corral.post('/v1/chat/completions', chat('tiny'));

    await until(
      'it shows the new runner',
      () => /runner-1\s+tiny\s+idle/.test(shown.text.slice(from)),
      40_000,
    );
    shown.type('q');
    expect(await shown.exit).to.equal(0);
  });

  it('prints one picture where there is no terminal', async () => {
    const { code, out, err } = await runCorral(placeIn(corral.folder, corral.url), 'top');

    expect([code, err]).to.deep.equal([0, '']);
    expect(out).to.match(/^corral \S+ at http:\/\/127\.0\.0\.1:\d+ /);
    expect(out).to.match(/CPU\s+\[[#=.]+\] \d+ MiB of .* Main memory\n/);
    expect(out).to.not.contain('\u001B');
  });

  it('shows its key, over https to whoever has the configured certificate', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'corral-top-'));
    const tls = writeSelfSigned(folder, selfSigned());
    const key = newKey();
    const safe = await startCorral('embedded', {
      listen: { port: 0, tls },
      keys: { me: { hash: hashOf(key), scopes: ['read'] } },
    });
    await writeFile(join(folder, 'corral.yaml'), stringify({ listen: { tls } }));
    const place = placeIn(folder, safe.url);

    const keyed = await runCorral({ ...place, env: { ...place.env, CORRAL_API_KEY: key } }, 'top');
    const keyless = await runCorral(place, 'top');
    await safe.close();
    await rm(folder, { recursive: true, force: true });

    expect([keyed.code, keyed.err]).to.deep.equal([0, '']);
    expect(keyed.out).to.match(/^corral \S+ at https:.*\n\nCPU /);
    expect(keyless.code).to.equal(1);
    expect(keyless.err).to.match(/key/i);
  });

  it('says what to do when no Corral answers', async () => {
    const { code, err } = await runCorral(placeIn(corral.folder, 'http://127.0.0.1:1'), 'top');

    expect(code).to.equal(1);
    expect(err).to.match(/^No Corral answers at http:\/\/127\.0\.0\.1:1 .*corral serve/);
  });
});

describe('the picture of corral top', () => {
  const scene = (over: Partial<Scene> = {}): Scene => ({
    url: 'http://127.0.0.1:8686',
    version: '1.2.3',
    connection: 'open',
    devices: [
      {
        id: 'CUDA0',
        name: 'RTX 4090',
        kind: 'discrete',
        totalBytes: 24 * GIB,
        limitBytes: 24 * GIB,
        freeBytes: 6 * GIB,
        reservedBytes: 12 * GIB,
        claimedBytes: 0,
        sharesMainMemory: false,
        pause: null,
        othersBytes: 6 * GIB,
      },
    ],
    runners: [],
    queue: [],
    speeds: [],
    decisions: [],
    ...over,
  });
  const wait = (position: number, over: object = {}): Scene['queue'][number] => ({
    id: `lease-${position}`,
    model: 'big',
    position,
    reason: 'needs 20.0 GiB on CUDA0',
    since: new Date(NOW - 12_000 + position).toISOString(),
    expectedAt: null,
    ...over,
  });
  const decision = (seq: number, reason = 'fits on CUDA0'): Scene['decisions'][number] => ({
    seq,
    at: new Date(NOW).toISOString(),
    kind: 'load',
    model: 'big',
    runnerId: 'runner-1',
    leaseId: null,
    reason,
    code: null,
    reservedBytes: null,
  });
  const lines = (over: Partial<Scene>, size = { columns: 80, rows: 24 }): string[] =>
    pictureOf(scene(over), size, NOW).split('\n');

  it('has a bar for each device: reserved, held by others, free', () => {
    expect(lines({})).to.include(
      'CUDA0   [##########=====.....] 12.0 GiB of 24.0 GiB, others 6.0 GiB  RTX 4090',
    );
  });

  it('shows who waits longest, and how many more there are', () => {
    const queue = Array.from({ length: 9 }, (_, index) => wait(index + 1));

    const picture = lines({ queue }).join('\n');

    expect(picture).to.match(/big\s+1\s+12 s\s+needs 20\.0 GiB on CUDA0/);
    expect(picture).to.match(/\nand 3 more\n|\nand 3 more$/);
  });

  it('is never larger than the terminal', () => {
    const queue = Array.from({ length: 9 }, (_, index) => wait(index + 1, { reason: 'x'.repeat(300) }));
    const decisions = Array.from({ length: 40 }, (_, index) => decision(index, 'y'.repeat(300)));

    for (const size of [
      { columns: 80, rows: 23 },
      { columns: 20, rows: 5 },
      { columns: 1, rows: 1 },
    ]) {
      const drawn = lines({ queue, decisions }, size);
      expect(drawn.length).to.be.at.most(size.rows);
      expect(Math.max(...drawn.map((line) => line.length))).to.be.at.most(size.columns);
    }
  });

  it('shows the latest decisions first', () => {
    const drawn = lines({ decisions: [decision(1, 'first'), decision(2, 'second')] });

    expect(drawn.at(-2)).to.match(/load\s+big\s+second/);
    expect(drawn.at(-1)).to.match(/load\s+big\s+first/);
  });

  it('lets nothing that a runner printed steer the terminal', () => {
    const drawn = lines({ decisions: [decision(1, 'bad \u001B[2J\u0007 news')] }).join('\n');

    // oxlint-disable-next-line no-control-regex -- it is control characters that are looked for
    expect(drawn).to.not.match(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
