import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findBuiltLlamaServer } from '../../scripts/llama-server-cache.ts';

/** A program or folder of others: where it lies, or why it is left out. */
export type Found = { readonly path: string } | { readonly missing: string };

/** A program that a variable names, else one on PATH. */
export function findProgram(name: string, variable: string, env: NodeJS.ProcessEnv): Found {
  const named = env[variable];
  if (named)
    return isProgram(named)
      ? { path: named }
      : { missing: `${variable} names ${named}, which is no program` };
  const path = (env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram);
  return path ? { path } : { missing: `no ${name} on PATH, and ${variable} is not set` };
}

/** The llama-server of `npm run llama-server`, or another one. */
export function findLlamaServer(env: NodeJS.ProcessEnv): Found {
  const found = findProgram('llama-server', 'LLAMA_SERVER', env);
  if ('path' in found || env['LLAMA_SERVER']) return found;
  const built = findBuiltLlamaServer();
  return built ? { path: built } : { missing: `${found.missing}; npm run llama-server builds one` };
}

/** The GGUF files of the folder that RACE_MODELS names, the smallest first. */
export function findModels(
  env: NodeJS.ProcessEnv,
): { readonly paths: readonly string[] } | { readonly missing: string } {
  const folder = env['RACE_MODELS'];
  if (!folder) return { missing: 'RACE_MODELS names no folder with real models' };
  if (!existsSync(folder)) return { missing: `RACE_MODELS names ${folder}, which is not there` };
  const paths = readdirSync(folder)
    .filter((name) => name.endsWith('.gguf'))
    .map((name) => join(folder, name))
    .toSorted((a, b) => statSync(a).size - statSync(b).size);
  return paths.length > 0
    ? { paths }
    : { missing: `there is no .gguf file in ${folder}, which RACE_MODELS names` };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
