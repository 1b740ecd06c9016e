import { stringify } from 'yaml';
import { createGuard, type Guard } from '../../src/auth/guard.ts';
import { hashOf } from '../../src/auth/key.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import type { ConfigInput } from '../../src/config/schema.ts';

/** As a configuration has them: keys by name, with what each may do. */
export const keysOf = (
  keys: Readonly<
    Record<string, { key: string; scopes?: string[]; requestsPerMinute?: number; priority?: string }>
  >,
): ConfigInput['keys'] =>
  Object.fromEntries(
    Object.entries(keys).map(([name, { key, ...rest }]) => [name, { hash: hashOf(key), ...rest }]),
  ) as ConfigInput['keys'];

/** The guard of a configuration as it is written. */
export const aGuard = (config: Partial<ConfigInput> = {}): Guard => {
  const parsed = parseConfig(stringify(config));
  return createGuard(() => parsed);
};
