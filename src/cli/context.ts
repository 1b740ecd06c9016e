import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { defaultDataFolder, findConfig } from '../config/find-config.ts';
import { loadConfig, parseConfig, type LoadedConfig } from '../config/load-config.ts';
import { stdout } from '../terminal/print.ts';

/** The configuration that a command was given or finds; with none, all defaults. Throws a `ConfigError`. */
export function configOf(command: Command): LoadedConfig {
  const { config: named } = command.optsWithGlobals<{ config?: string }>();
  const path = findConfig(named, process.env) ?? demoConfigIfAny();
  return path === null
    ? { path: null, config: parseConfig('', 'corral.yaml', process.env) }
    : loadConfig(path);
}

/** The demonstration's configuration, once a first start has written it. */
function demoConfigIfAny(): string | null {
  const path = demoConfigPath(process.env);
  return existsSync(path) ? path : null;
}

export const demoConfigPath = (env: NodeJS.ProcessEnv): string =>
  join(defaultDataFolder(env), 'demo', 'corral.yaml');

/** Prints a value for programs. */
export const printJson = (value: unknown): void => stdout.writeJson(value);
