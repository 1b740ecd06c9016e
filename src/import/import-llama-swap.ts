import { parseDocument } from 'yaml';
import type { ConfigInput, ModelInput } from '../config/schema.ts';
import { importModel, keepAliveOf, type ModelImport } from './import-model.ts';
import { importProfiles, importSelectors } from './import-selectors.ts';
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
  'profiles',
  'unloadTimeout',
]);
const WITHOUT_COUNTERPART: ReadonlyMap<string, string> = new Map([
  ['apiKeys', 'keys are not copied from file to file'],
  ['peers', 'Corral serves models of this machine'],
  ['matrix', 'what runs at the same time follows from memory'],
  ['routing', 'who is loaded and evicted follows from memory and use'],
  ['logToStdout', 'the log is written to the output, what runners print to files and `corral logs`'],
  ['logTimeFormat', 'the log has its own'],
  ['metricsMaxInMemory', '`corral activity` and /metrics are bounded by themselves'],
  ['captureBuffer', '`activity: { bodies: 16MiB }` keeps them'],
  ['store', '`activity: { write: true }` writes requests to a file'],
  ['performance', '`corral top`, the page and /metrics show it'],
  ['sendLoadingState', 'streams get comments while a model loads; reasoning is left alone'],
  ['includeAliasesInList', 'aliases are always listed'],
  ['ui', 'the page has its own'],
  ['upstream', 'looks never load a model, requests below /upstream/ do'],
  ['tailcat', 'Corral listens where `listen:` says'],
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
  const stays = whatStays(swap, notes);
  for (const [id, { model: made, program, notes: own }] of imports) {
    const told = [...own];
    const isOther = made && program !== null && program !== llamaServer;
    const model = isOther ? { ...made, llamaServer: program } : made;
    const isFirst = first.get(id.toLowerCase()) === id;
    if (!isFirst) told.push(`left out: it differs from ${first.get(id.toLowerCase())} in capitals only`);
    if (model && isFirst)
      models.set(id, withFreeNames(id, { ...model, ...atStart(id, stays) }, { taken, notes: told }));
    modelNotes.set(id, told);
  }
  const names = { taken, notes };
  const several = { ...importSelectors(swap, models, names), ...importProfiles(swap, models, names) };
  const config: ConfigInput = {
    ...(llamaServer !== null && llamaServer !== 'llama-server' && { llamaServer }),
    ...logLevelOf(swap, notes),
    defaults: { keepAlive: keepAliveOf(Math.max(0, swap.globalTTL ?? 0)) },
    ...limitsOf(swap),
    models: Object.fromEntries(models),
    ...(Object.keys(several).length > 0 && { anyOf: several }),
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

interface Stays {
  readonly preloaded: ReadonlySet<string>;
  readonly persistent: ReadonlySet<string>;
}

/** What is loaded at start and stays is pinned; what is only loaded then is preloaded. */
function whatStays(swap: SwapConfig, notes: string[]): Stays {
  const preloaded = new Set(swap.hooks?.on_startup?.preload);
  const persistent = new Set<string>();
  for (const [
    name,
    { members, swap: takesTurns = true, exclusive = true, persistent: stays },
  ] of Object.entries(swap.groups ?? {})) {
    if (stays) members?.forEach((member) => persistent.add(member));
    const was = takesTurns ? 'one of its models at a time' : 'all of its models together';
    const alone = exclusive ? ', and no others' : '';
    notes.push(`group ${name} (${was}${alone}) is left out: what runs at the same time follows from memory`);
  }
  const onlyKept = [...persistent].filter((name) => !preloaded.has(name)).join(', ');
  if (onlyKept !== '')
    notes.push(`${onlyKept} may be evicted: \`pin: true\` prevents it, and loads it at start`);
  return { preloaded, persistent };
}

const atStart = (id: string, { preloaded, persistent }: Stays): Pick<ModelInput, 'pin' | 'preload'> => {
  if (!preloaded.has(id)) return {};
  return persistent.has(id) ? { pin: true } : { preload: true };
};

function limitsOf({ healthCheckTimeout, unloadTimeout }: SwapConfig): Pick<ConfigInput, 'limits'> {
  const limits = {
    ...(typeof healthCheckTimeout === 'number' &&
      healthCheckTimeout > 0 && { load: `${healthCheckTimeout}s` }),
    ...(typeof unloadTimeout === 'number' && unloadTimeout > 0 && { terminate: `${unloadTimeout}s` }),
  };
  return Object.keys(limits).length > 0 ? { limits } : {};
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
