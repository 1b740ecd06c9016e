/**
 * What arguments of a llama-server say of what Corral plans. Absent is what they do not say, and what they say in a way that
 * llama-server will refuse.
 */
export interface ServerOptions {
  /** Of all slots together; 0 is what the model was trained for. */
  readonly totalContextTokens?: number;
  readonly slots?: number;
  /** Layers on GPUs; the output counts as one. */
  readonly gpuLayers?: number | 'all';
  /** By name, in order; empty: none, it runs on the CPU. */
  readonly devices?: readonly string[];
  readonly splitMode?: string;
  /** Proportions of the devices, in their order. */
  readonly tensorSplit?: readonly number[];
  readonly mainGpu?: number;
  /** Layers, from the first on, whose experts stay in main memory. */
  readonly cpuExpertLayers?: number | 'all';
  /** What lies elsewhere than its layer: pattern of a tensor's name, and a buffer such as `CPU`. */
  readonly tensorPlaces: readonly { readonly pattern: string; readonly buffer: string }[];
  readonly cacheTypeK?: string;
  readonly cacheTypeV?: string;
  readonly batchTokens?: number;
  /** Of those, worked on at a time. */
  readonly microBatchTokens?: number;
  readonly flashAttention?: boolean;
  readonly fullWindows?: boolean;
  /** Whether the KV cache lies where its layers are. */
  readonly kvOffload?: boolean;
  readonly projectorPath?: string;
  readonly projectorOffload?: boolean;
  readonly adapterPaths: readonly string[];
  /** Adapters with a weight of their own. */
  readonly scaledAdapterPaths: readonly string[];
  readonly draftPath?: string;
  readonly draftGpuLayers?: number | 'all';
  readonly draftCacheTypeK?: string;
  readonly draftCacheTypeV?: string;
  /** The most states to go back to that each slot keeps. */
  readonly checkpoints?: number;
  /** The most that the prompt cache may hold of main memory; -1 is without a limit. */
  readonly promptCacheMiB?: number;
  /** Whether they say how the file is read: mapped, locked, direct. */
  readonly saysLoadMode?: boolean;
  /** How what it makes of tokens becomes one vector, or one figure: `mean`, `cls`, `last`, `rank`. */
  readonly pooling?: string;
  readonly embedding?: boolean;
  readonly reranking?: boolean;
  /** It gives its memory back after so long without work, and takes it again when it is asked for something. */
  readonly sleepAfterSeconds?: number;
}

export interface ReadArguments {
  readonly options: ServerOptions;
  /** The arguments without those that become part of Corral's plan, which has its own words for them. */
  readonly rest: readonly string[];
}

type Draft = { -readonly [Key in keyof ServerOptions]: ServerOptions[Key] };

interface Option {
  readonly names: readonly string[];
  readonly takesValue: boolean;
  /** Whether Corral says it itself from then on. */
  readonly isPlanned: boolean;
  /** False for a value that is none. */
  readonly note: (draft: Draft, value: string) => boolean;
}

/** An option with a value; `note` gives false for a value that is none. */
const taking = (
  names: readonly string[],
  note: (draft: Draft, text: string) => boolean | void,
  isPlanned = false,
): Option => ({
  names,
  takesValue: true,
  isPlanned,
  note: (draft, text) => note(draft, text) !== false,
});

/** One that says one thing, and of which the last counts; `convert` gives undefined for what is none. */
const valued = <Key extends keyof Draft>(
  names: readonly string[],
  key: Key,
  convert: (text: string) => Draft[Key] | undefined,
  isPlanned = false,
): Option =>
  taking(
    names,
    (draft, text) => {
      const value = convert(text);
      if (value === undefined) return false;
      draft[key] = value;
      return true;
    },
    isPlanned,
  );

const flag = <Key extends keyof Draft>(
  names: readonly string[],
  key: Key,
  value: Draft[Key],
  isPlanned = false,
): Option => ({
  names,
  takesValue: false,
  isPlanned,
  note: (draft) => {
    draft[key] = value;
    return true;
  },
});

const PLANNED = true;
/** llama-server's number of slots where it is to choose. */
const AUTO = -1;

const whole = (text: string): number | undefined => (/^-?\d{1,9}$/.test(text) ? Number(text) : undefined);
const positive = (text: string): number | undefined => ((whole(text) ?? 0) > 0 ? Number(text) : undefined);
const notNegative = (text: string): number | undefined =>
  (whole(text) ?? -1) >= 0 ? Number(text) : undefined;
const word = (text: string): string => text;
const layers = (text: string): number | 'all' | undefined => {
  const count = whole(text);
  if (text === 'all' || text === 'auto' || (count !== undefined && count < 0)) return 'all';
  return count;
};
const list = (text: string): string[] => text.split(',').filter((one) => one !== '');
const devices = (text: string): string[] => (text === 'none' ? [] : list(text));
const proportions = (text: string): number[] | undefined => {
  const shares = text.split(/[,/]+/).map(Number);
  return shares.every((share) => share >= 0) && shares.some((share) => share > 0) ? shares : undefined;
};
const onOff = (text: string): boolean | undefined => {
  if (/^(?:on|enabled|true|1|auto|-1)$/.test(text)) return true;
  return /^(?:off|disabled|false|0)$/.test(text) ? false : undefined;
};

/** By the names of llama.cpp v0.4 and v0.5 (common/arg.cpp). */
const OPTIONS: readonly Option[] = [
  valued(['-c', '--ctx-size'], 'totalContextTokens', notNegative, PLANNED),
  valued(['-np', '--parallel'], 'slots', (text) => (whole(text) === AUTO ? AUTO : positive(text)), PLANNED),
  valued(['-ngl', '--gpu-layers', '--n-gpu-layers'], 'gpuLayers', layers, PLANNED),
  valued(['-dev', '--device'], 'devices', devices, PLANNED),
  valued(['-sm', '--split-mode'], 'splitMode', word),
  valued(['-ts', '--tensor-split'], 'tensorSplit', proportions),
  // It counts through the devices that Corral passes, which may be one.
  valued(['-mg', '--main-gpu'], 'mainGpu', notNegative, PLANNED),
  flag(['-cmoe', '--cpu-moe'], 'cpuExpertLayers', 'all'),
  valued(['-ncmoe', '--n-cpu-moe'], 'cpuExpertLayers', notNegative),
  // These may be given several times.
  taking(['-ot', '--override-tensor'], (draft, text) => {
    draft.tensorPlaces = [...draft.tensorPlaces, ...list(text).flatMap(placeOf)];
  }),
  valued(['-ctk', '--cache-type-k'], 'cacheTypeK', word),
  valued(['-ctv', '--cache-type-v'], 'cacheTypeV', word),
  valued(['-b', '--batch-size'], 'batchTokens', positive),
  valued(['-ub', '--ubatch-size'], 'microBatchTokens', positive),
  valued(['-fa', '--flash-attn'], 'flashAttention', onOff),
  flag(['--swa-full'], 'fullWindows', true),
  flag(['-kvo', '--kv-offload'], 'kvOffload', true),
  flag(['-nkvo', '--no-kv-offload'], 'kvOffload', false),
  valued(['-mm', '--mmproj'], 'projectorPath', word, PLANNED),
  flag(['--mmproj-offload'], 'projectorOffload', true),
  flag(['--no-mmproj-offload'], 'projectorOffload', false),
  taking(
    ['--lora'],
    (draft, text) => {
      draft.adapterPaths = [...draft.adapterPaths, ...list(text)];
    },
    PLANNED,
  ),
  taking(['--lora-scaled'], (draft, text) => {
    const paths = list(text).map((one) => one.replace(/:[^:]*$/, ''));
    draft.scaledAdapterPaths = [...draft.scaledAdapterPaths, ...paths];
  }),
  valued(['-md', '--model-draft', '--spec-draft-model'], 'draftPath', word),
  valued(
    ['-ngld', '--gpu-layers-draft', '--n-gpu-layers-draft', '--spec-draft-ngl'],
    'draftGpuLayers',
    layers,
  ),
  valued(['-ctkd', '--cache-type-k-draft', '--spec-draft-type-k'], 'draftCacheTypeK', word),
  valued(['-ctvd', '--cache-type-v-draft', '--spec-draft-type-v'], 'draftCacheTypeV', word),
  valued(['-cram', '--cache-ram'], 'promptCacheMiB', whole, PLANNED),
  valued(['-ctxcp', '--ctx-checkpoints', '--swa-checkpoints'], 'checkpoints', notNegative),
  ...['--mlock', '--mmap', '--no-mmap', '-dio', '--direct-io', '-ndio', '--no-direct-io'].map((name) =>
    flag([name], 'saysLoadMode', true),
  ),
  valued(['-lm', '--load-mode'], 'saysLoadMode', () => true),
  valued(['--pooling'], 'pooling', word),
  valued(['--sleep-idle-seconds'], 'sleepAfterSeconds', positive),
  flag(['--embedding', '--embeddings'], 'embedding', true, PLANNED),
  flag(['--rerank', '--reranking'], 'reranking', true, PLANNED),
];

const placeOf = (text: string): { pattern: string; buffer: string }[] => {
  const at = text.indexOf('=');
  return at < 0 ? [] : [{ pattern: text.slice(0, at), buffer: text.slice(at + 1) }];
};

const byName: ReadonlyMap<string, Option> = new Map(
  OPTIONS.flatMap((option) => option.names.map((name) => [name, option] as const)),
);

/**
 * Reads what a user adds to a llama-server's command line: of an option that is given twice the last counts, and `--name=value`
 * is two words, which llama-server itself does not know.
 */
export function readArguments(args: readonly string[]): ReadArguments {
  const draft: Draft = { tensorPlaces: [], adapterPaths: [], scaledAdapterPaths: [] };
  const rest: string[] = [];
  const words = args.flatMap(apart);
  for (let i = 0; i < words.length; i++) {
    const name = words[i] ?? '';
    const option = byName.get(plainName(name));
    const value = option?.takesValue ? words[++i] : '';
    const isUnderstood = option !== undefined && value !== undefined && option.note(draft, value);
    if (!isUnderstood || !option.isPlanned)
      rest.push(name, ...(option?.takesValue && value !== undefined ? [value] : []));
  }
  return { options: draft, rest };
}

/** llama-server takes `--ctx_size` for `--ctx-size`. */
export const plainName = (name: string): string => (name.startsWith('--') ? name.replaceAll('_', '-') : name);

/** `--name=value` as two words. */
export function apart(text: string): string[] {
  const found = /^(--[a-z][a-z0-9_-]*)=(.*)$/is.exec(text);
  return found ? [found[1] ?? '', found[2] ?? ''] : [text];
}
