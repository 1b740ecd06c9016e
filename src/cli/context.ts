import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { defaultDataFolder, findConfig } from '../config/find-config.ts';
import { loadConfig, parseConfig, type LoadedConfig } from '../config/load-config.ts';
import { stdout } from '../terminal/print.ts';

/** The configuration that a command was given or finds; with none, all defaults. Throws a `ConfigError`. */
export function configOf(command: Command): LoadedConfig {
  const { config: named } = command.optsWithGlobals<{ config?: readonly string[] }>();
  const found = findConfig(named, process.env);
  const paths = found.length > 0 ? found : demoConfigIfAny();
  return paths.length === 0
    ? { path: null, files: [], config: parseConfig('', 'corral.yaml', process.env) }
    : loadConfig(paths);
}

/** The demonstration's configuration, once a first start has written it. */
function demoConfigIfAny(): readonly string[] {
  const path = demoConfigPath(process.env);
  return existsSync(path) ? [path] : [];
}

export const demoConfigPath = (env: NodeJS.ProcessEnv): string =>
  join(defaultDataFolder(env), 'demo', 'corral.yaml');

/** Prints a value for programs. */
export const printJson = (value: unknown): void => stdout.writeJson(value);
