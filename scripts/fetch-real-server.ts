import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NOT_HERE, python } from './python.ts';
import { realServer, serverPlace } from './real-server-cache.ts';

const PIP = ['-m', 'pip', 'install', '--only-binary=:all:', '--disable-pip-version-check', '--quiet'];

/** Installs beside its place, and gives it its name only once it is whole. */
function fetchServer(place: string): void {
  const { title, alone, beside } = realServer;
  mkdirSync(dirname(place), { recursive: true });
  const folder = mkdtempSync(join(dirname(place), 'fetching-'));
  try {
    console.log(`Fetching ${title}, once.`);
    const into = ['--target', join(folder, 'packages')];
    python([...PIP, ...into, ...beside], `Installing what ${title} needs`);
    python([...PIP, ...into, '--no-deps', ...alone], `Installing ${title}`);
    renameSync(join(folder, 'packages'), place);
    console.log(`Fetched ${place}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const place = serverPlace();
try {
  if (existsSync(place)) console.log(`${realServer.title} is there already: ${place}`);
  else fetchServer(place);
} catch (error) {
  console.error(`\n*** ${error instanceof Error ? error.message : String(error)}`);
  console.error(
    `*** ${realServer.title} is missing: the test with a real server of another kind is LEFT OUT.\n`,
  );
  process.exitCode = NOT_HERE;
}
