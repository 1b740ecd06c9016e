import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly optional?: boolean }>>;
}

const folder = fileURLToPath(new URL('../inspector/', import.meta.url));

/** Whether `inspector/node_modules` has just what its lock file names; what is optional may be for another machine. */
function isInstalled(): boolean {
  try {
    const read = (path: string): Lock => JSON.parse(readFileSync(folder + path, 'utf8')) as Lock;
    const installed = read('node_modules/.package-lock.json').packages;
    return Object.entries(read('package-lock.json').packages).every(
      ([path, { version, optional }]) =>
        path === '' || installed[path]?.version === version || (optional === true && !(path in installed)),
    );
  } catch {
    return false;
  }
}

/** Installs what the page is built with, when that is not there yet. */
export function installPage(): void {
  if (isInstalled()) return;
  execFileSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund', '--silent'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installPage();
