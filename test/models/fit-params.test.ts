import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { predictNeed, type NeedOptions } from '../../machines/planning/memory-need.ts';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { readModelFile } from '../../src/models/read-model-file.ts';
import { realLlamaServer } from '../support/corral.ts';
import { architectures } from './support/architectures.ts';
import { writeSparse } from './support/sparse-models.ts';

const run = promisify(execFile);
const MIB = 1024 ** 2;
const beside = realLlamaServer === null ? null : join(dirname(realLlamaServer), 'llama-fit-params');
const tool = beside !== null && existsSync(beside) ? beside : null;
if (tool === null)
  console.warn('Predictions are not compared with llama-fit-params: npm run llama-server builds it.');

const optionSets: Readonly<Record<string, { options: NeedOptions; args?: readonly string[] }>> = {
  'one slot': { options: { contextTokens: 32_768, slots: 1 } },
  'four slots': { options: { contextTokens: 8_192, slots: 4 } },
  'a larger batch': { options: { contextTokens: 16_384, slots: 2, batchTokens: 1_024 } },
  'a quantised cache': {
    options: { contextTokens: 32_768, slots: 1, cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' },
    args: ['-ctk', 'q8_0', '-ctv', 'q8_0'],
  },
  'the whole context where it slides': {
    options: { contextTokens: 32_768, slots: 1, fullWindows: true },
    args: ['--swa-full'],
  },
};

describe('predictions beside llama-fit-params', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-fit-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** MiB of main memory, as the tool prints them for a machine without GPUs. */
  async function asked(path: string, options: NeedOptions, args: readonly string[]): Promise<number[]> {
    const { contextTokens, slots, batchTokens = 512 } = options;
    // What it repacks for the processor it does not count.
    const fixed = ['-fitp', 'on', '--no-repack', '-fa', 'on'];
    const sizes = ['-c', contextTokens * slots, '-np', slots, '-ub', batchTokens].map(String);
    const { stdout } = await run(tool ?? '', ['-m', path, ...sizes, ...fixed, ...args]);
    return (/^Host (\d+) (\d+) (\d+)/m.exec(stdout) ?? []).slice(1).map(Number);
  }

  for (const name of tool === null ? [] : ['chat', ...Object.keys(architectures)])
    for (const [title, { options, args = [] }] of Object.entries(optionSets)) {
      // llama.cpp quantises blocks of 32, and the heads of this one are shorter.
      if (name === 'chat' && options.cacheTypeK) continue;
      it(`agree for ${name} with ${title}`, async () => {
        const path = join(folder, `${name}.gguf`);
        const sparse = architectures[name];
        if (!existsSync(path)) await (sparse ? writeSparse(path, sparse) : generateGguf(path));

        const [weights = 0, context = 0, compute = 0] = await asked(path, options, args);
        const { shape } = await readModelFile(path);
        const need = predictNeed(shape, options);

        expect(need.weightsBytes / MIB, 'weights').to.be.closeTo(weights, 2 + weights / 50);
        expect(need.kvBytes / MIB, 'cache').to.be.within(context, context + 1.1);
        expect(need.computeBytes / MIB, 'compute').to.be.closeTo(compute, 3 + compute / 5);
      });
    }
});
