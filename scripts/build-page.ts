import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPage } from './install-page.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the page is made of: its own source, and of ours the client, the simulation and the machines. */
const SOURCES = [
  'inspector/src',
  'inspector/index.html',
  'inspector/package-lock.json',
  'inspector/vite.config.ts',
  'src',
  'machines',
  'scenarios',
];

function newestMs(path: string): number {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

function isBuilt(): boolean {
  const builtMs = statSync(join(root, 'dist/page/index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return SOURCES.every((path) => newestMs(join(root, path)) < builtMs);
}

/** Builds the page into `dist/page`, unless that is newer than all that it is made of. Throws when the build fails. */
export function buildPage(): void {
  if (isBuilt()) return;
  installPage();
  const vite = join(root, 'inspector/node_modules/vite/bin/vite.js');
  const args = [vite, 'build', '--config', join(root, 'inspector/vite.config.ts'), '--logLevel', 'warn'];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error('The page could not be built; see above.');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildPage();
