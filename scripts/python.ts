import { spawnSync } from 'node:child_process';

/** Exit code when something cannot be had here: the tests that want it can be left out. */
export const NOT_HERE = 3;

/** Runs python3. The index, its certificates and a proxy are pip's affair: PIP_INDEX_URL, pip.conf and the like count. Throws where it fails. */
export function python(args: readonly string[], why: string): void {
  const { error, status } = spawnSync('python3', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) throw new Error(`${why} needs python3 with pip: ${error.message}`);
  if (status !== 0) throw new Error(`${why} failed; what python3 said of it stands above.`);
}
