import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { freePort } from '../../../actors/process/free-port.ts';
import { Program } from '../program.ts';
import { CONTEXT_TOKENS, SLOTS, type Stage, type StageModel } from '../stage.ts';
import type { Contender, Started } from './contender.ts';
import { endAfter } from './corral.ts';

/** It has each file copied by llama-quantize, which need not be there: `--allow-requantize FROM TO COPY`. */
const COPY_AS_IT_IS = '#!/bin/sh\nexec cp "$2" "$3"\n';

/** Ollama, installed anew for each race: it takes the llama-server that lies in `../lib/ollama/` beside it. */
export const ollama = (file: string): Contender => ({
  name: 'Ollama',
  unfit: () => null,
  start: (stage) => start(stage, file),
});

async function start({ folder, models, program, room, env }: Stage, file: string): Promise<Started> {
  const own = join(folder, 'bin', 'ollama');
  const tools = join(folder, 'lib', 'ollama');
  mkdirSync(join(folder, 'bin'));
  mkdirSync(tools, { recursive: true });
  // It follows a link to where it really lies, and would look for its llama-server there.
  copyFileSync(file, own);
  symlinkSync(program, join(tools, 'llama-server'));
  writeFileSync(join(tools, 'llama-quantize'), COPY_AS_IT_IS, { mode: 0o755 });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const started = new Program([own, 'serve'], {
    env: {
      ...env,
      HOME: folder,
      OLLAMA_HOST: `127.0.0.1:${port}`,
      OLLAMA_MODELS: join(folder, 'ollama-models'),
      OLLAMA_CONTEXT_LENGTH: String(CONTEXT_TOKENS),
      OLLAMA_NUM_PARALLEL: String(SLOTS),
      OLLAMA_MAX_LOADED_MODELS: String(room),
      OLLAMA_KEEP_ALIVE: '-1',
      OLLAMA_NO_CLOUD: '1',
    },
    logFile: join(folder, 'ollama.log'),
    cwd: folder,
  });
  try {
    await started.answers(url, '/api/version');
    for (const model of models) await create(url, model);
  } catch (error) {
    return await endAfter(started, error);
  }
  return { url, end: () => started.end() };
}

/** Makes a file known to Ollama as a model. */
async function create(url: string, { name, path }: StageModel): Promise<void> {
  const content = readFileSync(path);
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  await post(`${url}/api/blobs/${digest}`, content);
  await post(
    `${url}/api/create`,
    JSON.stringify({ model: name, files: { [`${name}.gguf`]: digest }, stream: false }),
  );
}

async function post(url: string, body: Buffer | string): Promise<void> {
  const { statusCode, body: answer } = await request(url, { method: 'POST', body, headersTimeout: 0 });
  const text = await answer.text();
  if (statusCode >= 300) throw new Error(`${url} answers ${statusCode}: ${text.slice(0, 200)}`);
}
