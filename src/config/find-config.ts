import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where learned values, process records and demonstration models go. */
export const defaultDataFolder = (env: NodeJS.ProcessEnv): string =>
  join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'corral');

/** Where a configuration is looked for, in order, when none is named. */
export const configPlaces = (env: NodeJS.ProcessEnv): readonly string[] => [
  resolve('corral.yaml'),
  join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'corral', 'corral.yaml'),
];

/** The configuration to use: the one that is named (`--config`, then `CORRAL_CONFIG`), else the first that is there. */
export function findConfig(named: string | undefined, env: NodeJS.ProcessEnv): string | null {
  const asked = named ?? env['CORRAL_CONFIG'];
  if (asked !== undefined && asked !== '') return resolve(asked);
  return configPlaces(env).find((path) => existsSync(path)) ?? null;
}
