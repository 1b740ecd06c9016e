import type { AttentionLayer } from '../../machines/planning/memory-need.ts';
import type { GgufKeys } from './gguf-keys.ts';

/** Each of their layers has an indexer, which keeps a key of its own for every token. */
const INDEXED = new Set(['deepseek32', 'minimax-m3']);
/** These list which layers have one. */
const INDEXED_WHERE_LISTED = new Set(['dots3note', 'glm-dsa']);
/** Of deepseek4: layers that keep one compressed entry for so many tokens, and which of them have an indexer. */
const COMPRESSED = [
  { tokensPerEntry: 4, hasIndexer: true },
  { tokensPerEntry: 128, hasIndexer: false },
] as const;

/** What sparse attention keeps beside the cache of each layer (llama.cpp v0.4: llama-kv-cache-dsa.cpp, -msa.cpp, -dsv4.cpp). */
export function sideCaches(keys: GgufKeys, layers: number): readonly AttentionLayer[] {
  const { architecture } = keys;
  const indexerLength = keys.count('attention.indexer.key_length') ?? 0;
  if (architecture === 'deepseek4') return compressed(keys, layers, indexerLength);
  return Array.from({ length: indexedLayers(keys, layers) }, () => whole(indexerLength));
}

function indexedLayers(keys: GgufKeys, layers: number): number {
  if (INDEXED.has(keys.architecture))
    return layers - (keys.architecture === 'minimax-m3' ? (keys.count('leading_dense_block_count') ?? 0) : 0);
  if (!INDEXED_WHERE_LISTED.has(keys.architecture)) return 0;
  const listed = keys.listPerLayer('attention.indexer.types', layers);
  return listed === null ? layers : listed.filter((type) => type !== 0).length;
}

function compressed(keys: GgufKeys, layers: number, indexerLength: number): AttentionLayer[] {
  const ratios = keys.listPerLayer('attention.compress_ratios', layers) ?? [];
  const keyLength = keys.count('attention.key_length') ?? 0;
  return COMPRESSED.flatMap(({ tokensPerEntry, hasIndexer }) =>
    ratios
      .filter((ratio) => ratio === tokensPerEntry)
      .flatMap(() => [
        { ...whole(keyLength), tokensPerEntry },
        ...(hasIndexer ? [{ ...whole(indexerLength), tokensPerEntry }] : []),
      ]),
  );
}

/** One key for each token of the context. */
const whole = (keyLength: number): AttentionLayer => ({
  kvHeads: 1,
  keyLength,
  valueLength: 0,
  windowTokens: null,
});

const FLOAT_BYTES = 4;

/**
 * State of deepseek4's compressors for each slot: keys and scores of the tokens that the next entry is made of, and with an indexer of those before
 * as well, twice as long (llama.cpp v0.4: `llama_dsv4_comp_state`).
 */
export function compressorBytes(keys: GgufKeys, layers: number): number {
  if (keys.architecture !== 'deepseek4') return 0;
  const ratios = keys.listPerLayer('attention.compress_ratios', layers) ?? [];
  const keyLength = keys.count('attention.key_length') ?? 0;
  const indexerLength = keys.count('attention.indexer.key_length') ?? 0;
  const floats = COMPRESSED.reduce((sum, { tokensPerEntry, hasIndexer }) => {
    const count = ratios.slice(0, layers).filter((ratio) => ratio === tokensPerEntry).length;
    const ofLayer = hasIndexer
      ? 4 * tokensPerEntry * (keyLength + indexerLength)
      : tokensPerEntry * keyLength;
    return sum + count * 2 * ofLayer;
  }, 0);
  return floats * FLOAT_BYTES;
}
