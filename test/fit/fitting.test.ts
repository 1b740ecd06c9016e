import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect } from 'chai';
import { pino } from 'pino';
import type { ModelSpec } from '../../machines/vocabulary.ts';
import { Catalogue } from '../../src/catalogue.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { findModel, nearMisses } from '../../src/config/model-names.ts';
import { resolveModels } from '../../src/config/resolve-models.ts';
import { tellDiskTrouble } from '../../src/disk-trouble.ts';
import { startFitting, type Fitting } from '../../src/fit/fitting.ts';
import { serve } from '../../src/serve.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const MIB = 1024 ** 2;

/** A catalogue that can be waited for. */
class ToldCatalogue extends Catalogue {
  readonly told: Promise<string>;
  #tell: (classKey: string) => void = () => {};

  constructor(entries: ConstructorParameters<typeof Catalogue>[0]) {
    super(entries, { find: findModel, nearMisses });
    this.told = new Promise((resolve) => (this.#tell = resolve));
  }

  override refine(...args: Parameters<Catalogue['refine']>): void {
    super.refine(...args);
    this.#tell(args[0]);
  }
}

describe('needs as llama-fit-params tells them', () => {
  let models: TestModels;
  let folder: string;
  let llamaServer: string;
  before(async () => {
    models = await writeModels(['tiny']);
  });
  after(() => models.remove());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-fitting-'));
    llamaServer = join(folder, 'llama-server');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A tool that keeps what it was asked, and then does as `script` says. */
  async function writeTool(script: string): Promise<void> {
    const path = join(folder, 'llama-fit-params');
    await writeFile(path, `#!/bin/sh\necho "$@" >> ${join(folder, 'asked')}\n${script}\n`);
    await chmod(path, 0o755);
  }
  const asked = async (): Promise<string[]> =>
    (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n');

  async function begin(
    args: readonly string[] = [],
    onLog: (line: string) => void = () => {},
  ): Promise<{ catalogue: ToldCatalogue; fitting: Fitting; spec: () => ModelSpec | null | undefined }> {
    const stream = new Writable({ write: (chunk, _, done) => (onLog(String(chunk)), done()) });
    const log = pino({}, stream);
    const fitting = startFitting({
      llamaServer,
      dataFolder: folder,
      env: process.env,
      trouble: tellDiskTrouble(log),
      log,
    });
    if (!fitting) throw new Error('no tool was found');
    const text = `models: { m: { path: ${models.path('tiny')}, context: 4096, slots: 2, promptCache: 0, args: ${JSON.stringify(args)} } }`;
    const { entries } = await resolveModels({
      config: parseConfig(text),
      folder,
      llamaServer,
      state: { of: () => undefined },
      fit: fitting.source,
    });
    const catalogue = new ToldCatalogue(entries);
    return { catalogue, fitting, spec: () => catalogue.entries[0]?.spec };
  }

  it('replace the prediction once they are there, and are known after a restart', async () => {
    await writeTool('echo "CUDA0 1000 200 30 "; echo "Host 400 0 5 "');
    const { catalogue, fitting, spec } = await begin(['-ctk', 'q8_0', '--cpu-moe', '--temp', '0.5']);
    expect(spec()?.needSource).to.equal('predicted');

    fitting.refine(catalogue);
    await catalogue.told;
    await fitting.end(5_000);

    const told = { needSource: 'fit-params', needBytes: 1_233 * MIB };
    expect(spec()).to.include(told);
    expect(spec()?.hostBytes, 'the program itself as well').to.be.within(407 * MIB, 440 * MIB);
    const again = await begin(['-ctk', 'q8_0', '--cpu-moe', '--temp', '0.5']);
    expect(again.spec()).to.include(told);
    expect(again.catalogue.entries[0]).to.not.have.property('question');
    const [question, ...others] = await asked();
    expect(others).to.deep.equal([]);
    expect(question).to.contain('-c 8192 -np 2').and.to.contain('-ctk q8_0 --cpu-moe');
    expect(question, 'what it does not know').to.not.contain('--temp');
    await again.fitting.end(5_000);
  });

  it('are asked for anew for other arguments, or when the tool is another one', async () => {
    await writeTool('echo "Host 400 10 5 "');
    const first = await begin();
    first.fitting.refine(first.catalogue);
    await first.catalogue.told;
    await first.fitting.end(5_000);

    expect((await begin(['--swa-full'])).catalogue.entries[0]?.question).to.be.an('object');
    await writeTool('echo "Host 500 10 5 " # newer');
    expect((await begin()).catalogue.entries[0]?.question).to.be.an('object');
  });

  for (const [title, script] of [
    ['fails', 'echo "error: no such argument" >&2; exit 1'],
    ['says something else', 'echo "-c 4096 -ngl 12"'],
    ['crashes', 'kill -SEGV $$'],
  ] as const)
    it(`stay as predicted where the tool ${title}`, async () => {
      await writeTool(script);
      let heard: (line: string) => void = () => {};
      const line = new Promise<string>((resolve) => (heard = resolve));
      const { catalogue, fitting, spec } = await begin([], (text) => heard(text));

      fitting.refine(catalogue);

      expect(await line).to.match(/"event":"fit-params","model":"m","msg":"its need stays as predicted: /);
      expect(spec()?.needSource).to.equal('predicted');
      await fitting.end(5_000);
    });

  it('keep nobody waiting, at the start or at the end, when the tool hangs', async () => {
    await writeTool('exec sleep 600');
    const config = parseConfig(
      `{ listen: { port: 0 }, llamaServer: ${llamaServer}, dataFolder: ${folder}, models: { m: { path: ${models.path('tiny')} } } }`,
    );

    const corral = await serve({ config, configPath: null, log: pino({ level: 'silent' }) });
    const answer = await fetch(`${corral.url}/v1/models`);
    expect(answer.status).to.equal(200);
    expect(corral.catalogue.entries[0]?.spec?.needSource).to.equal('predicted');
    await corral.stop(0);
  });
});
