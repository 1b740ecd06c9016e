const MACRO = /\$\{([^${}]+)\}/g;
const DEEPEST = 20;
const LONGEST = 100_000;
const FROM_ENVIRONMENT = 'env.';

export interface Expanded {
  readonly text: string;
  /** Variables of the environment that were filled in, by name. */
  readonly environment: readonly string[];
}

/**
 * Fills in llama-swap's macros, which may use each other, and `${env.NAME}`. Throws an Error that names a macro which does
 * not exist, or when they go on for ever.
 */
export function expandMacros(
  text: string,
  macros: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
): Expanded {
  const environment = new Set<string>();
  let filledIn = 0;
  const valueOf = (name: string): string => {
    const value = name.startsWith(FROM_ENVIRONMENT)
      ? env[name.slice(FROM_ENVIRONMENT.length)]
      : macros.get(name);
    if (value === undefined) throw new Error(`\${${name}} is not defined`);
    if (name.startsWith(FROM_ENVIRONMENT)) environment.add(name.slice(FROM_ENVIRONMENT.length));
    filledIn += value.length;
    if (filledIn > LONGEST) throw new Error('its macros use each other without end');
    return value;
  };
  let expanded = text;
  for (let depth = 0; expanded.search(MACRO) >= 0; depth++) {
    if (depth === DEEPEST) throw new Error('its macros use each other without end');
    expanded = expanded.replaceAll(MACRO, (_, name: string) => valueOf(name));
  }
  return { text: expanded, environment: [...environment] };
}
