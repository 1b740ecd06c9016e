import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/schema.ts';
import { isLoopback } from './host-names.ts';

/** Throws a `ConfigError` where others than this machine could call and no key is asked for. */
export function requireKeys({ listen: { host }, keys }: Pick<Config, 'listen' | 'keys'>, file: string): void {
  if (isLoopback(host) || Object.keys(keys).length > 0) return;
  const message =
    `other machines can reach ${host}, and no keys are configured: anybody could use this Corral. ` +
    'Make a key with `corral key NAME` and put what it prints under `keys`, or listen on 127.0.0.1';
  throw new ConfigError(file, [{ line: 0, column: 0, key: 'listen.host', message }]);
}
