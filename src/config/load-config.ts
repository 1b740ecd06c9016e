import { ConfigError, MOST_PROBLEMS, type ConfigProblem } from './config-error.ts';
import { configFiles } from './config-files.ts';
import { overridesOf, type Override } from './environment.ts';
import { LayeredSource, type Layer } from './layered-source.ts';
import { readText } from './read-text.ts';
import { problemsOf } from './schema-problems.ts';
import { configSchema, type Config } from './schema.ts';
import { YamlSource } from './yaml-source.ts';

/** Top-level keys that start so are left alone: a place for YAML anchors. */
const PRIVATE_PREFIX = 'x-';

export interface LoadedConfig {
  /** Absolute, the first of several files: relative paths start from its folder. Null when there is no file and all is default. */
  readonly path: string | null;
  /** All of them, in the order in which they were read. */
  readonly files: readonly string[];
  readonly config: Config;
}

/**
 * Reads and checks a configuration, which may be several files, and folders of them: what a later one says wins. `flags` win over the environment, and that over
 * the files. Throws a `ConfigError` that names every problem with file, line and key.
 */
export function loadConfig(
  named: string | readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  flags: readonly Override[] = [],
): LoadedConfig {
  const layers = configFiles(typeof named === 'string' ? [named] : named).map((file): Layer => {
    const text = readText(file);
    const source = new YamlSource(text, env);
    if (source.problems.length > 0) throw new ConfigError(file, source.problems, text);
    // Many programs empty a file before they write it: nothing at all is not what somebody has decided.
    if (source.isEmpty) throw new ConfigError(file, [EMPTY]);
    return { file, text, source };
  });
  const path = layers[0]?.file ?? null;
  const files = layers.map(({ file }) => file);
  return { path, files, config: configOf(layers, [...overridesOf(env), ...flags]) };
}

const EMPTY: ConfigProblem = {
  line: 1,
  column: 1,
  key: '',
  message: 'nothing is written in it. If everything is to be as it is by default, write {}',
};

/** The same for text that is at hand already. The environment wins over the text. */
export function parseConfig(text: string, file = 'corral.yaml', env: NodeJS.ProcessEnv = {}): Config {
  const source = new YamlSource(text, env);
  if (source.problems.length > 0) throw new ConfigError(file, source.problems, text);
  return configOf([{ file, text, source }], overridesOf(env));
}

function configOf(layers: readonly Layer[], overrides: readonly Override[]): Config {
  const source = new LayeredSource(layers);
  const file = layers[0]?.file ?? '';
  const text = new Map(layers.map((layer) => [layer.file, layer.text]));
  const parsed = configSchema.safeParse(overrides.reduce(overridden, withoutPrivate(source.value())));
  if (!parsed.success) throw new ConfigError(file, problemsOf(parsed.error, source, overrides), text);
  const clashes = nameClashes(parsed.data)
    .slice(0, MOST_PROBLEMS + 1)
    .map(({ path, message }) => ({ ...source.placeOf(path), message }));
  if (clashes.length > 0) throw new ConfigError(file, clashes, text);
  return deepFreeze(parsed.data);
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const withoutPrivate = (raw: unknown): unknown =>
  isMap(raw)
    ? Object.fromEntries(Object.entries(raw).filter(([key]) => !key.startsWith(PRIVATE_PREFIX)))
    : raw;

/** With one value replaced. What is no map where one belongs stays, and is refused as such. */
function overridden(raw: unknown, { path, value }: Pick<Override, 'path' | 'value'>): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (!isMap(raw ?? {})) return raw;
  const map = raw as Readonly<Record<string, unknown>> | undefined;
  return { ...map, [key]: overridden(map?.[key], { path: rest, value }) };
}

/** All names share one namespace, without regard to case. */
function nameClashes(config: Config): (Pick<ConfigProblem, 'message'> & { readonly path: string[] })[] {
  const owners = new Map<string, string>();
  const clashes: { path: string[]; message: string }[] = [];
  const take = (one: string, name: string, path: string[]): void => {
    const owner = owners.get(one.toLowerCase());
    if (owner !== undefined)
      clashes.push({ path, message: `the name '${one}' is taken by '${owner}' already` });
    owners.set(one.toLowerCase(), name);
  };
  for (const [name, { aliases, variants }] of Object.entries(config.models))
    for (const one of [name, ...aliases, ...furtherNames(name, aliases, variants)])
      take(one, name, ['models', name]);
  for (const name of Object.keys(config.anyOf)) take(name, name, ['anyOf', name]);
  return clashes;
}

/** A variant may be that of a name that the model has already. */
const furtherNames = (name: string, aliases: readonly string[], variants: object): readonly string[] =>
  Object.keys(variants).filter((one) => one !== name && !aliases.includes(one));

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
