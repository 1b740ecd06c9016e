import './state-mark.css';

/** What a model or a runner may be in. */
export type State =
  | 'loading'
  | 'ready'
  | 'idle'
  | 'expiring'
  | 'unloading'
  | 'vram-recovering'
  | 'failed'
  | 'gone'
  | 'unloaded'
  | 'unusable';

/** Each state's own shape, so that colour is never needed to tell one from the other. In a box of 12 by 12. */
const shapes: Readonly<Record<State, string>> = {
  loading: 'M6 1.5a4.5 4.5 0 1 1-4.5 4.5',
  ready: 'M6 2.5a3.5 3.5 0 1 0 .01 0z',
  idle: 'M6 2a4 4 0 1 0 .01 0z',
  expiring: 'M6 2a4 4 0 1 0 .01 0zM6 2v8',
  unloading: 'M2 3.5h8L6 9.5z',
  'vram-recovering': 'M6 1.5 10.5 6 6 10.5 1.5 6z',
  failed: 'M2.5 2.5l7 7M9.5 2.5l-7 7',
  gone: 'M2.5 6h7',
  unloaded: 'M6 5a1 1 0 1 0 .01 0z',
  unusable: 'M6 2v5M6 9.4v.2',
};

const words: Partial<Record<State, string>> = {
  ready: 'serving',
  'vram-recovering': 'recovering',
  unloaded: 'not loaded',
};

/** The state in a word. */
export const stateWord = (state: State): string => words[state] ?? state;

/** A state as a mark and a word, which takes the same width whatever it is. */
export const StateMark = ({ state }: { readonly state: State }) => (
  <span class="state" data-state={state}>
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <path d={shapes[state]} />
    </svg>
    {stateWord(state)}
  </span>
);
