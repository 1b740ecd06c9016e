import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const command = new URL('../../src/cli/simulate.ts', import.meta.url).href;
const scenarios = fileURLToPath(new URL('../../scenarios', import.meta.url));
/** Runs the command by itself, as `corral simulate …` does. */
const program = `
import { simulateCommand } from '${command}';
await simulateCommand().parseAsync(process.argv.slice(1), { from: 'user' });`;

const failing = `# It cannot be so fast.
devices: { CUDA0: 24GiB }
models: { A: { needs: 8GiB } }
timeline: [{ at: 0s, request: A, as: r1, for: 1s }]
expect: { requests: { r1: { granted: 1s } } }
`;

const trace = `t_seconds,model,prompt_tokens,output_tokens
0.000,a,100,100
10.000,b,100,100
20.000,a,100,100
`;
const models = JSON.stringify({
  gpus_gb: [24],
  models: ['a', 'b'].map((name) => ({
    name,
    size_gb: 16,
    load_s: 5,
    parallel: 2,
    prefill_tps: 1000,
    decode_tps: 50,
  })),
});

describe('corral simulate', function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-simulate-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const simulate = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const node = ['--import', tsx, '--input-type=module', '-e', program, '--', ...args];
      execFile(process.execPath, node, { cwd: folder }, (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
      );
    });

  it('prints requests, what was decided, and that all came as expected', async () => {
    const { code, out } = await simulate(join(scenarios, 'i01-victim-is-not-resurrected.yaml'));

    expect(out).to.match(/r2 +BIG +10s +25\.359s +runner-2 +40\.359s +served/);
    expect(out).to.match(/10s +evict GEN \(runner-1\): BIG needs 22\.0 GiB on CUDA0/);
    expect(out).to.contain('As expected.');
    expect(code).to.equal(0);
  });

  it('says what failed and when, with the decisions around it, and exits with 1', async () => {
    await writeFile(join(folder, 'fast.yaml'), failing);

    const { code, out } = await simulate('fast.yaml');

    expect(out).to.contain(
      'FAILED expect.requests.r1.granted: expected 1s, was granted at 5.005s (at 5.005s)',
    );
    expect(out).to.match(/FAILED.*\n +0\.005s +load A/);
    expect(code).to.equal(1);
  });

  it('plays a folder, all policies side by side, and JSON with stable names', async () => {
    await writeFile(join(folder, 'a.yaml'), failing);
    await writeFile(join(folder, 'b.yaml'), failing.replace('granted: 1s', 'granted: 5s'));

    const folderRun = await simulate('.');
    const compared = await simulate('b.yaml', '--compare');
    const json: unknown = JSON.parse((await simulate('b.yaml', '--json')).out);

    expect(folderRun.out).to.match(/FAIL +a +It cannot be so fast\.\nok +b/);
    expect(compared.out).to.match(/REQUEST +DEFAULT: WAITED +OUTCOME +OLLAMA: WAITED +OUTCOME +FIFO: WAITED/);
    expect(json).to.have.nested.property('[0].requests[0].waitSeconds', 5.005);
    expect(json).to.have.deep.nested.property('[0].ok', true);
    expect(json).to.have.nested.property('[0].p95WaitSeconds', 5.005);
  });

  it('writes the same trace each time, and a page that stands by itself', async () => {
    const scenario = join(scenarios, 'i04-no-strange-queueing.yaml');
    await simulate(scenario, '--trace', 'one.jsonl', '--report', 'page.html');
    await simulate(scenario, '--trace', 'two.jsonl');

    const [one, two, page] = await Promise.all(
      ['one.jsonl', 'two.jsonl', 'page.html'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    expect(one).to.equal(two);
    const lines = (one ?? '').trim().split('\n');
    const types = new Set(lines.map((line) => (JSON.parse(line) as { type: string }).type));
    expect([...types]).to.include.members(['request.submitted', 'decision', 'runner', 'memory', 'queue']);
    expect(page).to.contain('prefers-color-scheme: dark');
    expect(page).to.contain('vram-recovering');
    expect(page).to.not.match(/<script|https?:\/\//);
  });

  it('plays a trace of requests under all policies', async () => {
    await writeFile(join(folder, 'requests.csv'), trace);
    await writeFile(join(folder, 'models.json'), models);

    const args = [
      '--trace-csv',
      'requests.csv',
      '--models',
      'models.json',
      '--keep-alive',
      'forever',
      '--json',
    ];
    const results: unknown = JSON.parse((await simulate(...args)).out);

    expect(results).to.have.nested.property('[0].policy', 'default');
    expect(results).to.have.nested.property('[1].policy', 'ollama');
    expect(results).to.have.nested.property('[2].policy', 'fifo');
    expect(results).to.have.nested.property('[0].loads', 3);
    expect(results).to.have.nested.property('[0].loadSeconds', 15);
  });
});
