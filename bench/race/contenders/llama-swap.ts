import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../../actors/process/free-port.ts';
import { Program } from '../program.ts';
import { CONTEXT_TOKENS, SLOTS, type Stage } from '../stage.ts';
import type { Contender, Started } from './contender.ts';
import { endAfter } from './corral.ts';

/** llama-swap, with a matrix of all models that may run together. */
export const llamaSwap = (file: string): Contender => ({
  name: 'llama-swap',
  unfit: () => null,
  start: (stage) => start(stage, file),
});

async function start({ folder, models, program, room, env }: Stage, file: string): Promise<Started> {
  const port = await freePort();
  const config = join(folder, 'llama-swap.yaml');
  const sets = combinations(
    models.map(({ name }) => name),
    room,
  );
  const command = (name: string, path: string): string =>
    `${program} --host 127.0.0.1 --port \${PORT} --model ${path} --alias ${name} -c ${CONTEXT_TOKENS * SLOTS} -np ${SLOTS}`;
  writeFileSync(
    config,
    stringify({
      startPort: await freePort(),
      models: Object.fromEntries(models.map(({ name, path }) => [name, { cmd: command(name, path) }])),
      routing: {
        router: {
          use: 'matrix',
          settings: {
            matrix: { sets: Object.fromEntries(sets.map((set, i) => [`set${i}`, set.join(' & ')])) },
          },
        },
      },
    }),
  );
  const started = new Program([file, '-config', config, '-listen', `127.0.0.1:${port}`], {
    env,
    logFile: join(folder, 'llama-swap.log'),
    cwd: folder,
  });
  const url = `http://127.0.0.1:${port}`;
  await started.answers(url, '/health').catch((error: unknown) => endAfter(started, error));
  return { url, end: () => started.end() };
}

/** All ways to choose so many of them. */
export function combinations<T>(all: readonly T[], count: number): T[][] {
  if (count >= all.length) return [[...all]];
  if (count === 0) return [[]];
  return all.flatMap((first, i) =>
    all.length - i < count ? [] : combinations(all.slice(i + 1), count - 1).map((rest) => [first, ...rest]),
  );
}
