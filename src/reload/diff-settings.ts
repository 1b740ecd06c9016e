import { isDeepStrictEqual } from 'node:util';
import { formatValue } from '../config/format-value.ts';
import { needsRestart } from '../config/needs-restart.ts';
import type { Config } from '../config/schema.ts';
import { settings, type Setting } from '../config/settings.ts';
import { valueAt } from '../config/value-at.ts';
import type { SettingChange } from '../management/schemas.ts';

/** Settings whose values are nobody's business. */
const SECRET = /hash|secret|token|password/i;

/** Which settings two configurations differ in, models aside: those are compared as they are resolved. */
export const diffSettings = (before: Config, after: Config): readonly SettingChange[] =>
  settings()
    .filter(({ path, kind }) => path[0] !== 'models' && kind !== 'map')
    .flatMap((setting) =>
      placesOf(setting, [before, after]).flatMap((path) => compare(path, setting, before, after)),
    );

function compare(path: readonly string[], setting: Setting, before: Config, after: Config): SettingChange[] {
  const [from, to] = [valueAt(before, path), valueAt(after, path)];
  if (isDeepStrictEqual(from, to)) return [];
  const told = (value: unknown): string | null => (value === undefined ? null : tell(value, path, setting));
  return [{ key: path.join('.'), from: told(from), to: told(to), needsRestart: needsRestart(path) }];
}

const tell = (value: unknown, path: readonly string[], { kind }: Setting): string =>
  SECRET.test(path.at(-1) ?? '') ? '(not shown)' : formatValue(value, kind);

/** A `*` stands for each name that either configuration has there. */
function placesOf({ path }: Setting, configs: readonly Config[]): readonly (readonly string[])[] {
  const star = path.indexOf('*');
  if (star < 0) return [path];
  const above = path.slice(0, star);
  const names = configs.flatMap((config) => Object.keys(valueAt(config, above) ?? {}));
  return [...new Set(names)].map((name) => [...above, name, ...path.slice(star + 1)]);
}

/** The new configuration as far as a running Corral takes it over: what needs a restart is as it was. */
export function applicable(before: Config, after: Config): Config {
  let config: unknown = after;
  for (const { path } of settings())
    if (!path.includes('*') && needsRestart(path)) config = withThatOf(before, config, path);
  return config as Config;
}

type Part = Readonly<Record<string, unknown>>;

/** What a path leads to is as in another one. */
function withThatOf(other: unknown, target: unknown, [key = '', ...rest]: readonly string[]): unknown {
  const [there, { [key]: here, ...others }] = [(other as Part | undefined)?.[key], target as Part];
  const value = rest.length === 0 ? there : withThatOf(there, here ?? {}, rest);
  // A part that is not set there is not to be an empty one here: that would count as set.
  const isUnset = there === undefined && Object.keys(value ?? {}).length === 0;
  return isUnset ? others : { ...others, [key]: value };
}
