import { join } from 'node:path';

/** Programs whose models can be found, in the order in which names are given away. */
export const STORES = ['llamaCpp', 'ollama', 'huggingFace'] as const;
export type Store = (typeof STORES)[number];

export const storeTitles: Readonly<Record<Store, string>> = {
  llamaCpp: "llama.cpp's cache",
  ollama: "Ollama's store",
  huggingFace: 'the Hugging Face cache',
};

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** The home folder. */
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

/** Where each program keeps its models, unless it was told otherwise; all that are there are read. */
export function storePlaces({
  env,
  home,
  platform,
}: Surroundings): Readonly<Record<Store, readonly string[]>> {
  const xdgCache = env['XDG_CACHE_HOME'] || join(home, '.cache');
  const isMac = platform === 'darwin';
  const llamaCache = isMac ? join(home, 'Library', 'Caches') : xdgCache;
  const ollamaHomes = isMac || platform === 'win32' ? [home] : [home, '/usr/share/ollama'];
  const hub = env['HF_HUB_CACHE'] || join(env['HF_HOME'] || join(xdgCache, 'huggingface'), 'hub');
  return {
    llamaCpp: [env['LLAMA_CACHE'] || join(llamaCache, 'llama.cpp')],
    ollama: env['OLLAMA_MODELS']
      ? [env['OLLAMA_MODELS']]
      : ollamaHomes.map((folder) => join(folder, '.ollama', 'models')),
    huggingFace: [hub],
  };
}

/** What a configuration says of each program: its usual places, none, or this folder. */
export type StoreWishes = Readonly<Record<Store, boolean | string>>;

/** The folders that a configuration asks to read. */
export function wantedFolders(
  wishes: StoreWishes,
  places: Readonly<Record<Store, readonly string[]>>,
  pathOf: (path: string) => string,
): Readonly<Record<Store, readonly string[]>> {
  const of = (store: Store): readonly string[] => {
    const wish = wishes[store];
    if (typeof wish === 'string') return [pathOf(wish)];
    return wish ? places[store] : [];
  };
  return { llamaCpp: of('llamaCpp'), ollama: of('ollama'), huggingFace: of('huggingFace') };
}
