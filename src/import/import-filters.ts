import type { ModelInput } from '../config/schema.ts';
import type { SwapModel } from './llama-swap-schema.ts';

type Variants = NonNullable<ModelInput['variants']>;
type Filters = SwapModel['filters'];
type Members = NonNullable<Variants[string]['set']>;

export interface FiltersImport {
  readonly variants: Variants;
  readonly notes: readonly string[];
}

/** What only the request itself says, to llama-swap or to Corral. */
const OF_THE_REQUEST: ReadonlySet<string> = new Set(['model', 'stream']);
const KNOWN = new Set(['stripParams', 'strip_params', 'setParams', 'setParamsByID']);

/**
 * llama-swap's filters as variants: they hold for all names of a model, so that each of them becomes one; `setParamsByID` brings names of
 * its own. `nameOf` fills in macros.
 */
export function importFilters(
  names: readonly string[],
  filters: Filters,
  nameOf: (text: string) => string,
): FiltersImport {
  if (!filters) return { variants: {}, notes: [] };
  const notes = new Set(
    Object.keys(filters).flatMap((key) =>
      KNOWN.has(key) ? [] : [`filters.${key} is left out: it is not known to the importer`],
    ),
  );
  const settable = (members: Members): Members =>
    Object.fromEntries(
      Object.entries(members).filter(([name]) => {
        if (OF_THE_REQUEST.has(name)) notes.add(`filters: ${name} is left out: it is the request's own`);
        return !OF_THE_REQUEST.has(name);
      }),
    );
  const strip = (filters.stripParams ?? filters.strip_params ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !OF_THE_REQUEST.has(name));
  const set = settable(filters.setParams ?? {});
  const byName = new Map(
    Object.entries(filters.setParamsByID ?? {}).map(([name, members]) => [nameOf(name), settable(members)]),
  );
  const isForAll = strip.length > 0 || Object.keys(set).length > 0;
  const meant = [...new Set([...(isForAll ? names : []), ...byName.keys()])];
  const variants = meant.map((name): [string, Variants[string]] => {
    const all = { ...set, ...byName.get(name) };
    return [name, { ...(strip.length > 0 && { strip }), ...(Object.keys(all).length > 0 && { set: all }) }];
  });
  return { variants: Object.fromEntries(variants), notes: [...notes] };
}
