/** Bounds on what a file may say of a model. Beyond them it is no model, whatever its header says. */

/** llama.cpp's own bound on layers (LLAMA_MAX_LAYERS). */
export const MOST_LAYERS = 512;
/** llama.cpp keeps counts in 32 bits, mostly with a sign. */
export const MOST_COUNT = 2 ** 31 - 1;
/** Ten times what any model was trained for. */
export const MOST_CONTEXT_TOKENS = 100_000_000;
