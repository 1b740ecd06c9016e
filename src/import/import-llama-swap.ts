import { parseDocument } from 'yaml';
import type { ConfigInput, ModelInput } from '../config/schema.ts';
import { importModel, keepAliveOf, type ModelImport } from './import-model.ts';
import { importSelectors } from './import-selectors.ts';
import { swapSchema, type SwapConfig } from './llama-swap-schema.ts';

/** A configuration of llama-swap as Corral has it. */
export interface Imported {
  readonly config: ConfigInput;
  /** What could not be carried over as a whole, and what happens instead. */
  readonly notes: readonly string[];
  /** The same by model; those without an entry in `config.models` were left out. */
  readonly modelNotes: ReadonlyMap<string, readonly string[]>;
}

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
const READ = new Set([
  'models',
  'macros',
  'globalTTL',
  'healthCheckTimeout',
  'logLevel',
  'groups',
  'selectors',
  'hooks',
  'startPort',
]);
const WITHOUT_COUNTERPART: ReadonlyMap<string, string> = new Map([
  ['apiKeys', 'keys are not copied from file to file'],
  ['peers', 'Corral serves models of this machine'],
  ['matrix', 'what runs at the same time follows from memory'],
]);

/** Converts a llama-swap configuration. Throws an Error when it is no YAML, or not llama-swap's. */
export function importLlamaSwap(text: string, env: NodeJS.ProcessEnv = {}): Imported {
  const swap = readSwap(text);
  const macros = new Map(Object.entries(swap.macros ?? {}));
  const imports = Object.entries(swap.models ?? {}).map(
    ([id, raw]) => [id, importModel(id, raw, { macros, env })] as const,
  );
  const notes: string[] = [];
  const llamaServer = commonProgram(imports.map(([, one]) => one));
  const modelNotes = new Map<string, readonly string[]>();
  const models = new Map<string, ModelInput>();
  const taken = new Set(imports.map(([id]) => id.toLowerCase()));
  const first = new Map(imports.toReversed().map(([id]) => [id.toLowerCase(), id]));
  const pinned = pinnedModels(swap, notes);
  for (const [id, { model, program, notes: own }] of imports) {
    const told = [...own];
    const isFirst = first.get(id.toLowerCase()) === id;
    if (!isFirst) told.push(`left out: it differs from ${first.get(id.toLowerCase())} in capitals only`);
    if (model && isFirst)
      models.set(
        id,
        withFreeNames(id, pinned.has(id) ? { ...model, pin: true } : model, { taken, notes: told }),
      );
    if (program !== null && program !== llamaServer)
      told.push(`it was started with ${program}; Corral has one \`llamaServer:\` for all`);
    modelNotes.set(id, told);
  }
  const config: ConfigInput = {
    ...(llamaServer !== null && llamaServer !== 'llama-server' && { llamaServer }),
    ...logLevelOf(swap, notes),
    defaults: { keepAlive: keepAliveOf(Math.max(0, swap.globalTTL ?? 0)) },
    ...(typeof swap.healthCheckTimeout === 'number' &&
      swap.healthCheckTimeout > 0 && { limits: { load: `${swap.healthCheckTimeout}s` } }),
    models: Object.fromEntries(models),
    ...importSelectors(swap, models, { taken, notes }),
  };
  notes.push(...otherKeys(swap));
  return { config, notes, modelNotes };
}

function readSwap(text: string): SwapConfig {
  const document = parseDocument(text);
  const [syntax] = document.errors;
  if (syntax) throw new Error(syntax.message.split('\n')[0]);
  const parsed = swapSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.') || 'the file'}: ${issue?.message}`);
}

/** The llama-server of most models; the first of those with as many. */
function commonProgram(imports: readonly ModelImport[]): string | null {
  const counts = new Map<string, number>();
  for (const { program } of imports)
    if (program !== null) counts.set(program, (counts.get(program) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0] ?? null;
}

/** What is loaded at start and stays is pinned; either alone has no counterpart. */
function pinnedModels(swap: SwapConfig, notes: string[]): ReadonlySet<string> {
  const preload = swap.hooks?.on_startup?.preload ?? [];
  const persistent = new Set<string>();
  for (const [name, group] of Object.entries(swap.groups ?? {})) {
    if (group.persistent) group.members?.forEach((member) => persistent.add(member));
    notes.push(`group ${name} is left out: what runs at the same time follows from memory, not from groups`);
  }
  const unpinned = (names: Iterable<string>, others: ReadonlySet<string>): string =>
    [...names].filter((name) => !others.has(name)).join(', ');
  const onlyLoaded = unpinned(preload, persistent);
  const onlyKept = unpinned(persistent, new Set(preload));
  if (onlyLoaded !== '')
    notes.push(
      `preload of ${onlyLoaded} is left out: Corral loads at start what has \`pin: true\`, and keeps it`,
    );
  if (onlyKept !== '')
    notes.push(`${onlyKept} may be evicted: \`pin: true\` prevents it, and loads it at start`);
  return new Set(preload.filter((name) => persistent.has(name)));
}

function withFreeNames(
  id: string,
  model: ModelInput,
  { taken, notes }: { readonly taken: Set<string>; readonly notes: string[] },
): ModelInput {
  const { aliases = [], variants = {}, ...rest } = model;
  const free = aliases.filter((alias) => {
    const isFree = !taken.has(alias.toLowerCase());
    if (isFree) taken.add(alias.toLowerCase());
    else notes.push(`alias ${alias} is left out: the name is taken, in capitals or not`);
    return isFree;
  });
  const own = new Set([id, ...free].map((name) => name.toLowerCase()));
  const asked = Object.entries(variants).filter(([name]) => {
    const isFree = own.has(name.toLowerCase()) || !taken.has(name.toLowerCase());
    if (isFree) taken.add(name.toLowerCase());
    else if (!aliases.includes(name)) notes.push(`the parameters of ${name} are left out: the name is taken`);
    return isFree;
  });
  return {
    ...rest,
    ...(free.length > 0 && { aliases: free }),
    ...(asked.length > 0 && { variants: Object.fromEntries(asked) }),
  };
}

function logLevelOf({ logLevel }: SwapConfig, notes: string[]): Pick<ConfigInput, 'logLevel'> {
  const level = LOG_LEVELS.find((known) => known === logLevel);
  if (level !== undefined) return { logLevel: level };
  if (logLevel) notes.push(`logLevel ${logLevel} is left out: Corral has ${LOG_LEVELS.join(', ')}`);
  return {};
}

const otherKeys = (swap: SwapConfig): string[] =>
  Object.keys(swap)
    .filter((key) => !READ.has(key))
    .map((key) => `${key} is left out: ${WITHOUT_COUNTERPART.get(key) ?? 'it has no counterpart'}`);
