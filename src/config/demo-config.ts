import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { writeDemoModels } from '../models/demo-models.ts';

/** Room for two of the demonstration models at a time, so that eviction is seen on any laptop. */
const DEMO_LIMIT = '450MiB';
/** And for a small real one, about 1 GiB with its cache. */
const LIMIT_WITH_REAL = '1500MiB';
const REAL_CONTEXT_TOKENS = 4_096;

/** A real model that is served beside the demonstration's. */
export interface RealModel {
  readonly name: string;
  readonly path: string;
}

/**
 * The configuration of a first start: the demonstration models and a commented `corral.yaml` beside them, in the data folder.
 * Nothing is written to the folder that Corral was started in. Returns the configuration's path.
 */
export async function writeDemoConfig(
  dataFolder: string,
  onWrite: (what: string) => void,
  real: RealModel | null = null,
): Promise<string> {
  const folder = join(dataFolder, 'demo');
  const models = await writeDemoModels(join(folder, 'models'), onWrite);
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'corral.yaml');
  const entries = models.map(({ name, about, contextTokens }) =>
    [
      `  # ${about}`,
      `  ${name}:`,
      `    path: models/${name}.gguf`,
      ...(contextTokens === undefined ? [] : [`    context: ${contextTokens}`]),
    ].join('\n'),
  );
  // 'wx' keeps a file that somebody has edited since.
  await writeFile(path, demoYaml([...realEntry(real, folder), ...entries], real !== null), {
    flag: 'wx',
  }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  return path;
}

const realEntry = (real: RealModel | null, folder: string): string[] =>
  real === null
    ? []
    : [
        '  # a real one',
        `  ${real.name}:`,
        `    ${stringify({ path: relative(folder, real.path) }).trim()}`,
        `    context: ${REAL_CONTEXT_TOKENS}`,
      ];

const demoYaml = (
  entries: readonly string[],
  hasReal: boolean,
): string => `# Corral's demonstration: models with made-up weights that recite one sentence each.
# Put a corral.yaml of your own into the folder that you start Corral in, or into ~/.config/corral, and this one is not used
# any more. A line with a folder of GGUF files is enough:
#
#   folders: [~/models]

devices:
  # Little room on purpose: asking for one model after the other shows eviction.
  CPU: { memory: ${hasReal ? LIMIT_WITH_REAL : DEMO_LIMIT} }

models:
${entries.join('\n')}

defaults:
  keepAlive: 2m
  context: 1024
  slots: 2
`;
