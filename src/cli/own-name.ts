import { basename } from 'node:path';

/**
 * How a command of Corral's is typed here: `corral` where it was started by that name from PATH, `npx corral` in a checkout and
 * where npm has started it (npm puts names on a PATH that the user's shell does not have).
 */
export const ownName = (argv: readonly string[], env: NodeJS.ProcessEnv): string =>
  basename(argv[1] ?? '') === 'corral' && env['npm_command'] === undefined ? 'corral' : 'npx corral';
