import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { generateGguf, type GgufOptions } from './generate-gguf.ts';

const MB = 1_000_000;

export interface DemoModel {
  readonly name: string;
  readonly path: string;
  readonly about: string;
  /** Where the one of all is too short. */
  readonly contextTokens?: number;
}

const demo: readonly (Omit<DemoModel, 'path'> & { options: GgufOptions })[] = [
  {
    name: 'tiny-chat',
    about: 'a few hundred kilobytes; loads at once',
    options: {
      sentence: 'Hello from tiny-chat , the smallest model of this stable . All I know is one line',
    },
  },
  {
    name: 'medium-chat',
    about: '50 MB',
    options: {
      targetBytes: 60 * MB,
      sentence: 'Greetings from medium-chat ! My weights are made up and so is my wisdom',
    },
  },
  {
    name: 'large-chat',
    about: '150 MB; long enough to watch it load',
    options: {
      targetBytes: 150 * MB,
      sentence: 'This is large-chat speaking . I take up room , so others may have to leave',
    },
  },
  {
    name: 'endless',
    about: 'goes on until its context is full; for trying what happens when a client leaves',
    contextTokens: 16_384,
    options: { endless: true, sentence: 'round and about we go without an end' },
  },
  { name: 'tiny-embed', about: 'embeddings of 64 numbers', options: { kind: 'embedding' } },
];

/**
 * Writes the demonstration models that are not there yet: made-up weights that recite one sentence each, so that a newcomer
 * sees loading, eviction and streaming before downloading anything.
 */
export async function writeDemoModels(
  folder: string,
  onWrite: (name: string) => void = () => {},
): Promise<readonly DemoModel[]> {
  await mkdir(folder, { recursive: true });
  const models: DemoModel[] = [];
  for (const { options, ...model } of demo) {
    const { name } = model;
    const path = join(folder, `${name}.gguf`);
    if (!(await exists(path))) {
      onWrite(name);
      await generateGguf(path, { ...options, name });
    }
    models.push({ ...model, path });
  }
  return models;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
