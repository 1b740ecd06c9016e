import { isArgumentVariable } from '../../actors/process/clean-env.ts';
import { guess } from './guess.ts';
import { settings, type Setting } from './settings.ts';
import { YamlSource } from './yaml-source.ts';

/** A value that wins over the file's: from the environment, or from the command line. */
export interface Override {
  /** `CORRAL_LISTEN_PORT`, or `--port`. */
  readonly source: string;
  readonly path: readonly string[];
  /** As it would stand in the file. */
  readonly value: unknown;
}

const PREFIX = 'CORRAL_';
/** What they were called before each setting had one. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  CORRAL_HOST: 'listen.host',
  CORRAL_PORT: 'listen.port',
};
/** What is no setting, and read elsewhere. */
const OTHERS: readonly string[] = ['CORRAL_CONFIG', 'CORRAL_API_KEY'];

/** The variable of a setting: `limits.loadStall` is `CORRAL_LIMITS_LOAD_STALL`. Null for those of one model, device or key. */
export function variableOf({ path }: Pick<Setting, 'path'>): string | null {
  if (path.includes('*') || path[0] === 'models') return null;
  return PREFIX + path.map((part) => part.replaceAll(/[A-Z]/g, '_$&').toUpperCase()).join('_');
}

/** What the environment sets. The long name of a setting wins over its short one; an empty variable counts as not there. */
export function overridesOf(env: NodeJS.ProcessEnv): readonly Override[] {
  const short = Object.entries(SHORT_NAMES).flatMap(([variable, key]) =>
    settings().flatMap((setting) => (setting.path.join('.') === key ? [{ variable, setting }] : [])),
  );
  const long = settings().flatMap((setting) => {
    const variable = variableOf(setting);
    return variable === null ? [] : [{ variable, setting }];
  });
  return [...short, ...long].flatMap(({ variable, setting }) => {
    const text = env[variable];
    if (text === undefined || text === '') return [];
    return [{ source: variable, path: setting.path, value: valueOf(text, setting) }];
  });
}

/** A line for each variable that looks like ours and is none. */
export function strangeVariables(env: NodeJS.ProcessEnv): readonly string[] {
  const known = [
    ...Object.keys(SHORT_NAMES),
    ...OTHERS,
    ...settings().flatMap((one) => variableOf(one) ?? []),
  ];
  const strange = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !known.includes(name));
  const withheld = Object.keys(env).filter(isArgumentVariable);
  return [
    ...strange.map((name) => `the environment's ${name} is no setting.${nearMiss(name, known)}`),
    ...(withheld.length === 0
      ? []
      : [
          `the environment's ${withheld.toSorted().join(', ')} is kept from llama-server, which would run what was not planned: args of models and of defaults say such things.`,
        ]),
  ];
}

/** All names would be too many to tell. */
const nearMiss = (name: string, known: readonly string[]): string => {
  const text = guess(name, known);
  return text.startsWith(' Did you mean') ? text : '';
};

/** Text is taken as it is; a list may be written `a,b`; all else is read as YAML, as in the file. */
function valueOf(text: string, { kind }: Setting): unknown {
  if (kind === 'text' || kind === 'choice') return text;
  if (kind === 'list' && !text.trimStart().startsWith('[')) return text.split(',').map((one) => one.trim());
  const source = new YamlSource(text);
  // What cannot be read is refused as the text that it is.
  return source.problems.length > 0 ? text : source.value();
}
