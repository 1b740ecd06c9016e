import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../actors/process/free-port.ts';
import { Program } from '../program.ts';
import { CONTEXT_TOKENS, SLOTS, type Stage } from '../stage.ts';
import type { Contender, Started } from './contender.ts';

/** Of each model: whatever it really needs, so many fit as the race allows. Its prompt cache counts beside it. */
const MODEL_MIB = 400;
const PROMPT_CACHE_MIB = 100;

/** A built Corral, as users run it. */
export const corral = (name: string, main: string): Contender => ({
  name,
  unfit: () => (existsSync(main) ? null : `there is no ${main}; npm run build makes it`),
  start: (stage) => start(stage, main),
});

async function start(stage: Stage, main: string): Promise<Started> {
  const { folder, models, program, room, env } = stage;
  const port = await freePort();
  const config = join(folder, 'corral.yaml');
  const memory = `${MODEL_MIB}MiB`;
  writeFileSync(
    config,
    JSON.stringify({
      listen: { port },
      dataFolder: folder,
      llamaServer: program,
      devices: { CPU: { memory: `${(MODEL_MIB + PROMPT_CACHE_MIB) * room + 1}MiB` } },
      defaults: {
        runtime: 'llama-server',
        context: CONTEXT_TOKENS,
        slots: SLOTS,
        keepAlive: 'forever',
        promptCache: `${PROMPT_CACHE_MIB}MiB`,
      },
      models: Object.fromEntries(models.map(({ name, path }) => [name, { path, memory }])),
    }),
  );
  const started = new Program([process.execPath, main, 'serve', '--config', config], {
    env: { ...env, NODE_ENV: 'production' },
    logFile: join(folder, 'corral.log'),
    cwd: folder,
  });
  const url = `http://127.0.0.1:${port}`;
  await started.answers(url, '/health').catch((error: unknown) => endAfter(started, error));
  return { url, end: () => started.end() };
}

/** Ends a program that did not start as it should, and passes the reason on. */
export async function endAfter(program: Program, error: unknown): Promise<never> {
  await program.end();
  throw error;
}
