import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder, sourceBundle } from './llama-server-cache.ts';

/** Exit code when a tool is missing: the tests that want a real llama-server can be left out. */
const NO_TOOLS = 3;
const PROGRAMS = ['llama-server', 'llama-fit-params'];
/** Runs on any processor of this kind, links everything in, and fetches nothing. */
const FLAGS = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DBUILD_SHARED_LIBS=OFF',
  '-DGGML_NATIVE=OFF',
  '-DLLAMA_CURL=OFF',
  '-DLLAMA_OPENSSL=OFF',
  '-DLLAMA_BUILD_TESTS=OFF',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  '-DLLAMA_BUILD_UI=OFF',
  '-DLLAMA_USE_PREBUILT_UI=OFF',
];

const target = cacheFolder();
const program = join(target, 'bin', 'llama-server');
if (existsSync(program)) {
  console.log(`llama-server is built already: ${program}`);
  process.exit(0);
}

const missing = ['git', 'cmake', 'g++'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
if (missing.length > 0) {
  console.error(
    `Building llama-server needs ${missing.join(', ')}: install them (Debian: apt-get install git cmake g++).`,
  );
  process.exit(NO_TOOLS);
}

mkdirSync(dirname(target), { recursive: true });
const work = mkdtempSync(join(dirname(target), 'building-'));
const run = (file: string, args: readonly string[]): void => {
  execFileSync(file, args, { cwd: work, stdio: ['ignore', 'inherit', 'inherit'] });
};
try {
  console.log(`Building llama-server from ${sourceBundle}; this takes some minutes, once.`);
  run('git', ['clone', '--quiet', sourceBundle, 'source']);
  run('cmake', ['-S', 'source', '-B', 'build', ...FLAGS]);
  run('cmake', ['--build', 'build', '--target', ...PROGRAMS, `-j${availableParallelism()}`]);
  mkdirSync(join(work, 'done', 'bin'), { recursive: true });
  for (const name of PROGRAMS) cpSync(join(work, 'build', 'bin', name), join(work, 'done', 'bin', name));
  // Whole or not at all: somebody else may be building the same.
  if (!existsSync(program)) renameSync(join(work, 'done'), target);
  console.log(`Built ${program}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
