import type { GgufKeys } from './gguf-keys.ts';

interface Pattern {
  /** One layer in so many attends to everything. */
  readonly period: number;
  /** That layer is the first of its period instead of the last. */
  readonly denseFirst?: boolean;
  /** Used instead of the header's figure. */
  readonly fixedTokens?: number;
  /** Used without a figure in the header. */
  readonly defaultTokens?: number;
  /** Only models of so many layers slide. */
  readonly layers?: number;
}

/** As a period: no layer attends to everything. */
const ALL_SLIDE = 0;

/**
 * What llama.cpp v0.4 assumes of each architecture (src/models/*.cpp). A header's window alone means nothing: llama.cpp keeps
 * the whole context of phi3, qwen2 or mistral models that state one.
 */
const PATTERNS: ReadonlyMap<string, Pattern> = new Map(
  Object.entries<Pattern>({
    afmoe: { period: 4 },
    cohere2: { period: 4 },
    cohere2moe: { period: 4, denseFirst: true },
    deepseek4: { period: ALL_SLIDE },
    exaone4: { period: 4, defaultTokens: 4096, layers: 64 },
    'exaone-moe': { period: 4 },
    gemma2: { period: 2, defaultTokens: 4096 },
    gemma3: { period: 6 },
    gemma3n: { period: 5 },
    'gpt-oss': { period: 2 },
    laguna: { period: 4, denseFirst: true },
    // Those of its layers that attend.
    lfm2: { period: ALL_SLIDE },
    llama4: { period: 4, fixedTokens: 8192 },
    mellum: { period: 4 },
    'muse-glimmer': { period: 4 },
    olmo2: { period: 4 },
    plamo3: { period: 8 },
    smallthinker: { period: 4, denseFirst: true },
  }),
);
/** These state in the header which layers slide. */
const LISTED = new Set([
  'cohere2moe',
  'dots3note',
  'gemma4',
  'granite_swa',
  'mellum',
  'mimo2',
  'muse-glimmer',
  'step35',
]);

/** For each layer the tokens that its cache keeps, null for all; unknown architectures keep all, which is the safe side. */
export function slidingWindows(keys: GgufKeys, layers: number): readonly (number | null)[] {
  const pattern = PATTERNS.get(keys.architecture);
  const stated = keys.count('attention.sliding_window') ?? pattern?.defaultTokens ?? 0;
  // A stated 0 turns the window off, also where llama.cpp then uses a figure of its own.
  const tokens = keys.count('attention.sliding_window') === 0 ? 0 : (pattern?.fixedTokens ?? stated);
  const slides = tokens > 0 ? slidingLayers(keys, pattern, layers) : [];
  return Array.from({ length: layers }, (_, layer) => (slides[layer] ? tokens : null));
}

function slidingLayers(keys: GgufKeys, pattern: Pattern | undefined, layers: number): readonly boolean[] {
  const key = 'attention.sliding_window_pattern';
  const list = LISTED.has(keys.architecture) ? keys.listPerLayer(key, layers) : null;
  if (list !== null) return list.map((slides) => slides !== 0);
  if (pattern === undefined || (pattern.layers ?? layers) !== layers) return [];
  const period = keys.count(key) ?? pattern.period;
  const dense = pattern.denseFirst ? 0 : period - 1;
  return Array.from({ length: layers }, (_, layer) => period === ALL_SLIDE || layer % period !== dense);
}
