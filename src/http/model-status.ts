/** What llama.cpp's router says of a model. */
export type StatusValue = 'unloaded' | 'loading' | 'loaded';

const LOADED: readonly string[] = ['ready', 'idle'];
const COMING: readonly string[] = ['loading'];

/** The state of a model's runner in the words of llama.cpp's router; one on its way out serves nobody new. */
export const statusValueOf = (state: string): StatusValue => {
  if (LOADED.includes(state)) return 'loaded';
  return COMING.includes(state) ? 'loading' : 'unloaded';
};
