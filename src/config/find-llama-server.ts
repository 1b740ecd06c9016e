import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The llama-server to use: the configured one, else `LLAMA_SERVER`, else the first on PATH; null when there is none. */
export function findLlamaServer(configured: string | undefined, env: NodeJS.ProcessEnv): string | null {
  const named = configured ?? env['LLAMA_SERVER'];
  if (named !== undefined && named !== '')
    return named.includes('/') ? resolve(named) : (onPath(named, env) ?? named);
  return onPath('llama-server', env);
}

function onPath(name: string, env: NodeJS.ProcessEnv): string | null {
  const names = process.platform === 'win32' ? [`${name}.exe`, name] : [name];
  for (const folder of (env['PATH'] ?? '').split(delimiter))
    for (const one of names) if (folder !== '' && isProgram(join(folder, one))) return join(folder, one);
  return null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
