import { MOST_CONTEXT_TOKENS } from '../bounds.ts';

/** What Ollama's parameters are called on llama-server's command line. */
const FLAGS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    temperature: '--temp',
    top_k: '--top-k',
    top_p: '--top-p',
    min_p: '--min-p',
    typical_p: '--typical',
    repeat_last_n: '--repeat-last-n',
    repeat_penalty: '--repeat-penalty',
    presence_penalty: '--presence-penalty',
    frequency_penalty: '--frequency-penalty',
    num_predict: '--n-predict',
    num_batch: '--batch-size',
    seed: '--seed',
  }),
);
/** Where a model goes is Corral's business, whatever its author thought. */
const OURS = new Set(['num_gpu', 'main_gpu', 'num_thread', 'use_mmap', 'use_mlock', 'low_vram', 'numa']);

export interface OllamaParams {
  readonly contextTokens: number | null;
  readonly args: readonly string[];
  /** Parameters that have no counterpart on llama-server's command line, such as `stop`. */
  readonly leftOut: readonly string[];
}

/** Ollama's parameters of a model as llama-server takes them. Throws an Error when the text is not a JSON object. */
export function parseOllamaParams(text: string): OllamaParams {
  const params: unknown = JSON.parse(text);
  if (typeof params !== 'object' || params === null || Array.isArray(params))
    throw new Error('its parameters are not a JSON object');
  let contextTokens: number | null = null;
  const args: string[] = [];
  const leftOut: string[] = [];
  for (const [name, value] of Object.entries(params)) {
    const flag = FLAGS.get(name);
    if (OURS.has(name)) continue;
    if (name === 'num_ctx' && isContext(value)) contextTokens = value;
    else if (flag !== undefined && typeof value === 'number' && Number.isFinite(value))
      args.push(flag, String(value));
    else leftOut.push(name);
  }
  return { contextTokens, args, leftOut };
}

const isContext = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MOST_CONTEXT_TOKENS;
