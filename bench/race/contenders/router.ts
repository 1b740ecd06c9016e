import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../actors/process/free-port.ts';
import { Program } from '../program.ts';
import { CONTEXT_TOKENS, SLOTS, type Stage } from '../stage.ts';
import type { Contender, Started } from './contender.ts';
import { endAfter } from './corral.ts';

const SPAWNED = /spawning server instance with name=/g;

/** llama-server's own router. It starts itself for each model, so it has no part in races with a fake runner. */
export const router: Contender = {
  name: 'llama-server router',
  unfit: ({ realServer }) =>
    realServer === null ? 'it starts no other program than itself: no fake runner' : null,
  start,
};

async function start({ folder, models, realServer, room, env }: Stage): Promise<Started> {
  if (realServer === null) throw new Error('There is no real llama-server in this race.');
  const port = await freePort();
  const preset = join(folder, 'router.ini');
  const logFile = join(folder, 'router.log');
  const sections = models.map(
    ({ name, path }) =>
      `[${name}]\nmodel = ${path}\nctx-size = ${CONTEXT_TOKENS * SLOTS}\nparallel = ${SLOTS}\n`,
  );
  writeFileSync(preset, `version = 1\n\n${sections.join('\n')}`);
  const started = new Program(
    [
      realServer,
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--models-preset',
      preset,
      '--models-max',
      String(room),
    ],
    // Models that it has once downloaded are none of this race.
    { env: { ...env, LLAMA_CACHE: join(folder, 'cache') }, logFile, cwd: folder },
  );
  const url = `http://127.0.0.1:${port}`;
  await started.answers(url, '/health').catch((error: unknown) => endAfter(started, error));
  return {
    url,
    countLoads: () => [...readFileSync(logFile, 'utf8').matchAll(SPAWNED)].length,
    end: () => started.end(),
  };
}
