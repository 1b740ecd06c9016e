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

/** The configuration to use: what is named (`--config`, then `CORRAL_CONFIG`), files and folders, else the first that is there. Empty: there is none. */
export function findConfig(
  named: string | readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const asked = named ?? env['CORRAL_CONFIG'];
  if (asked !== undefined && asked.length > 0) return [asked].flat().map((one) => resolve(one));
  return configPlaces(env)
    .filter((path) => existsSync(path))
    .slice(0, 1);
}
