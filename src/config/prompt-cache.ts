import type { ServerOptions } from '../../machines/planning/server-options.ts';
import type { Config, ModelConfig } from './schema.ts';

const MIB = 1024 ** 2;
/** llama-server's own limit, for each process. */
const MOST_MIB = 8_192;
/** So many processes with full caches fit into a quarter of main memory: 8. */
const SHARE_OF_MAIN_MEMORY = 1 / 32;

/** What a model's arguments or keys say of its prompt cache, in MiB; undefined where they say nothing. */
export function configuredPromptCache(
  { promptCacheMiB }: ServerOptions,
  model: ModelConfig,
  { defaults }: Config,
): number | undefined {
  if (promptCacheMiB !== undefined) return promptCacheMiB;
  const bytes = model.promptCache ?? defaults.promptCache;
  return bytes === undefined ? undefined : Math.floor(bytes / MIB);
}

/** What a process may keep where nobody says it, of as much main memory as Corral may use. */
export const usualPromptCache = (mainMemoryBytes: number): number =>
  Math.min(MOST_MIB, Math.floor((mainMemoryBytes * SHARE_OF_MAIN_MEMORY) / MIB));
