import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateGguf, type GgufOptions } from '../../src/models/generate-gguf.ts';

const SHAPES: Readonly<Record<string, GgufOptions>> = {
  tiny: { sentence: 'this is tiny speaking' },
  other: { sentence: 'another one answers here' },
  // Long enough that no test sees its context run full.
  endless: { endless: true, contextTokens: 200_000, sentence: 'on and over we go' },
  embed: { kind: 'embedding' },
  a: { targetBytes: 200e6, sentence: 'model a says so' },
  b: { targetBytes: 200e6, sentence: 'model b begs to differ', seed: 2 },
  c: { targetBytes: 200e6, sentence: 'model c has the last word', seed: 3 },
};

export interface TestModels {
  readonly folder: string;
  path(name: string): string;
  /** `{ tiny: { path }, … }` for a configuration. */
  config(names: readonly string[], over?: Readonly<Record<string, object>>): Record<string, object>;
  remove(): Promise<void>;
}

/** Writes test models into a folder of their own. */
export async function writeModels(names: readonly string[]): Promise<TestModels> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-models-'));
  const path = (name: string): string => join(folder, `${name}.gguf`);
  for (const name of names) await generateGguf(path(name), { ...SHAPES[name], name });
  return {
    folder,
    path,
    config: (wanted, over = {}) =>
      Object.fromEntries(wanted.map((name) => [name, { path: path(name), ...over[name] }])),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
