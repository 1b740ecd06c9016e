import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { request } from 'undici';
import { freePort } from '../../actors/process/free-port.ts';
import { combinations } from '../../bench/race/contenders/llama-swap.ts';
import { figuresOf, tableOf } from '../../bench/race/figures.ts';
import { findLlamaServer, findModels, findProgram } from '../../bench/race/find.ts';
import { parseLabelled } from '../../bench/race/labelled.ts';
import { play, type Answer } from '../../bench/race/play.ts';
import { modelsOf, readWorkload, workloadNames, type Workload } from '../../bench/race/workload.ts';
import { until } from '../support/corral.ts';

const aWorkload = (models: readonly string[][], over: Partial<Workload> = {}): Workload => ({
  name: 'test',
  about: '',
  seed: 1,
  seconds: 1,
  room: 1,
  clients: models.map((some) => ({ models: some, thinkMs: 5, isSteady: true, tokens: 2, startMs: 0 })),
  ...over,
});

const anAnswer = (firstTokenMs: number, over: Partial<Answer> = {}): Answer => ({
  client: 0,
  model: 'a',
  firstTokenMs,
  failure: null,
  ...over,
});

describe('the race', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'corral-race-test-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  describe('its figures', () => {
    it('are of what was answered; what failed is counted apart', () => {
      const answers = [40, 10, 20, 30].map((ms) => anAnswer(ms));
      answers.push(anAnswer(NaN, { failure: '503: full' }));

      const figures = figuresOf(aWorkload([['a']]), answers, 7);

      expect(figures).to.deep.equal({
        answered: 4,
        failures: ['503: full'],
        loads: 7,
        mean: 25,
        p50: 30,
        p95: 40,
        max: 40,
        alternating: {},
      });
    });

    it('count a client that alternates from its third change on, by model', () => {
      const turns = [9_000, 9_000, 9_000, 400, 600, 500, 700, 300];
      const answers = turns.map((ms, i) => anAnswer(ms, { model: i % 2 === 0 ? 'a' : 'b' }));
      const others = [anAnswer(1, { client: 1, model: 'a' })];

      const { alternating } = figuresOf(aWorkload([['a', 'b'], ['a']]), [...others, ...answers], 0);

      expect(alternating).to.deep.equal({ b: 400, a: 700 });
    });

    it('make a table, also of a contender that has answered nothing', () => {
      const rows = [
        ['one', figuresOf(aWorkload([['a']]), [anAnswer(1_234.5)], 1)],
        ['two', figuresOf(aWorkload([['a']]), [], 0)],
      ] as const;

      expect(
        tableOf(rows)
          .split('\n')
          .map((line) => line.replaceAll(/ +/g, ' ')),
      ).to.deep.equal([
        '| | answered | failed | loads | mean | p50 | p95 | max |',
        '| --- | -------: | -----: | ----: | ----: | ----: | ----: | ----: |',
        '| one | 1 | 0 | 1 | 1,235 | 1,235 | 1,235 | 1,235 |',
        '| two | 0 | 0 | 0 | – | – | – | – |',
      ]);
    });
  });

  describe('its contenders', () => {
    it('are what a variable names, else what is on PATH, else left out with the reason', async () => {
      const file = join(folder, 'peer');
      await writeFile(file, '#!/bin/sh\n');
      await chmod(file, 0o755);

      expect(findProgram('peer', 'RACE_PEER', { RACE_PEER: file })).to.deep.equal({ path: file });
      expect(findProgram('peer', 'RACE_PEER', { PATH: `/nowhere:${folder}` })).to.deep.equal({ path: file });
      expect(findProgram('peer', 'RACE_PEER', { PATH: '/nowhere' })).to.deep.equal({
        missing: 'no peer on PATH, and RACE_PEER is not set',
      });
      expect(findProgram('peer', 'RACE_PEER', { RACE_PEER: '/nowhere/peer', PATH: folder })).to.deep.equal({
        missing: 'RACE_PEER names /nowhere/peer, which is no program',
      });
      expect(findLlamaServer({ LLAMA_SERVER: '/nowhere/it' })).to.have.property('missing');
    });

    it('have real models from a folder, the smallest first', async () => {
      const [small, large] = [join(folder, 'z.gguf'), join(folder, 'b.gguf')];
      await writeFile(small, 'x');
      await writeFile(large, 'xxxx');

      expect(findModels({ RACE_MODELS: folder })).to.deep.equal({ paths: [small, large] });
      expect(findModels({})).to.deep.equal({ missing: 'RACE_MODELS names no folder with real models' });
    });

    it('may be Corrals of other builds, each with a label', () => {
      expect(parseLabelled('before=/a=b/main.js')).to.deep.equal({ label: 'before', path: '/a=b/main.js' });
      expect(() => parseLabelled('/a/main.js')).to.throw('/a/main.js is no label and path');
    });

    it('may have so many models in memory, whichever those are', () => {
      expect(combinations(['a', 'b', 'c'], 2)).to.deep.equal([
        ['a', 'b'],
        ['a', 'c'],
        ['b', 'c'],
      ]);
      expect(combinations(['a', 'b'], 1)).to.deep.equal([['a'], ['b']]);
      expect(combinations(['a', 'b'], 3)).to.deep.equal([['a', 'b']]);
    });
  });

  describe('its workloads', () => {
    it('are read, each with more models than there is room for', () => {
      const all = workloadNames().map(readWorkload);

      expect(all).to.have.length.greaterThan(2);
      for (const one of all) expect(modelsOf(one)).to.have.length.greaterThan(one.room);
    });

    it('name what is wrong in a file', async () => {
      const file = join(folder, 'mine.json');
      await writeFile(file, JSON.stringify({ ...aWorkload([['a']]), name: undefined, seconds: -1 }));

      expect(() => readWorkload(file)).to.throw(/mine\.json[\s\S]*seconds/);
      expect(() => readWorkload('nothing')).to.throw('two-exclude');
    });
  });

  describe('its clients', () => {
    let server: Server;
    afterEach(() => server.close());

    it('take turns, and know a first token from what only keeps the connection', async () => {
      const asked: string[] = [];
      server = createServer((incoming, response) => {
        incoming.on('data', (data: Buffer) =>
          asked.push((JSON.parse(data.toString()) as { model: string }).model),
        );
        response.write(': waiting\n\ndata: {"choices":[{"delta":{"role":"assistant","content":null}}]}\n\n');
        setTimeout(() => response.write('data: {"choices":[{"delta":{"content":"x"}}]}\n\n'), 40);
        setTimeout(() => response.end(asked.length % 3 === 0 ? 'cut' : 'data: [DONE]\n\n'), 50);
      }).listen(0, '127.0.0.1');
      await until('it listens', () => server.listening);
      const { port } = server.address() as AddressInfo;

      const answers = await play(aWorkload([['a', 'b']]), `http://127.0.0.1:${port}`, 3);

      expect(asked.slice(0, 3)).to.deep.equal(['a', 'b', 'a']);
      expect(answers.map(({ model }) => model)).to.deep.equal(asked);
      for (const { firstTokenMs } of answers) expect(firstTokenMs).to.be.at.least(39);
      expect(answers[0]?.failure).to.equal(null);
      expect(answers[2]?.failure).to.match(/^200: /);
    });
  });

  it('has a fake runner that loads for as long as it is told, and then answers', async function () {
    this.timeout(30_000);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const file = fileURLToPath(new URL('../../bench/race/fake-runner.ts', import.meta.url));
    const startMs = performance.now();
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', file, '--model', 'x', '--alias', 'a', '--port', String(port)],
      { env: { ...process.env, FAKE_LOAD_MS: '3000', FAKE_TOKEN_MS: '1' }, stdio: 'ignore' },
    );
    try {
      const statusOf = async (path: string): Promise<number> => {
        try {
          const { statusCode, body } = await request(url + path);
          await body.dump();
          return statusCode;
        } catch {
          return 0;
        }
      };

      await until('it is loaded', async () => (await statusOf('/health')) === 200);
      expect(performance.now() - startMs).to.be.at.least(2_900);
      const answers = await play(aWorkload([['a']]), url, 2);
      expect(answers[0]).to.include({ model: 'a', failure: null });
    } finally {
      child.kill('SIGKILL');
    }
  });
});
