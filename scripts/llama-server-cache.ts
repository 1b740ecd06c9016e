import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageFolder = fileURLToPath(new URL('../node_modules/node-llama-cpp/llama/', import.meta.url));

/** llama.cpp's sources, as node-llama-cpp carries them. */
export const sourceBundle = join(packageFolder, 'gitRelease.bundle');

/** Where the built llama-server lies: outside the work tree, by release and by content, so that clones share it. */
export function cacheFolder(): string {
  const { release } = JSON.parse(readFileSync(join(packageFolder, 'binariesGithubRelease.json'), 'utf8')) as {
    release: string;
  };
  const hash = createHash('sha256').update(readFileSync(sourceBundle)).digest('hex').slice(0, 12);
  const root = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(root, 'corral', 'llama-server', `${release}-${hash}`);
}

/** A real llama-server for the tests: `LLAMA_SERVER`, else what `npm run llama-server` has built; null without one. */
export function findBuiltLlamaServer(): string | null {
  const named = process.env['LLAMA_SERVER'];
  if (named && existsSync(named)) return named;
  const built = join(cacheFolder(), 'bin', 'llama-server');
  return existsSync(built) ? built : null;
}
