import type { Chart } from '../../live/picture.ts';

export type State = Chart['states'][number];
export type Transition = Chart['transitions'][number];

/** A line of text in a state's box. */
export interface TextRow {
  readonly kind: 'entry' | 'exit' | 'invoke' | 'inside';
  readonly text: string;
  /** Of the transition that it stands for; null for what a state does by itself. */
  readonly transition: string | null;
}

/** What stands in a state's box below its name: its actors, what it does, and transitions that do not leave it. */
export function rowsOf(state: State, inside: readonly Transition[]): TextRow[] {
  const own = (kind: TextRow['kind'], texts: readonly string[]): TextRow[] =>
    texts.map((text) => ({ kind, text: `${signOf[kind]} ${text}`, transition: null }));
  return [
    ...own(
      'invoke',
      state.invokes.map(({ id, src }) => (id === src ? src : `${src} as ${id}`)),
    ),
    ...own('entry', state.entry),
    ...own('exit', state.exit),
    ...inside.map((one) => ({ kind: 'inside' as const, text: insideText(one), transition: one.id })),
  ];
}

const signOf: Readonly<Record<TextRow['kind'], string>> = {
  invoke: 'runs',
  entry: 'entry /',
  exit: 'exit /',
  inside: '',
};

/** `door.entered [isKept]`, as it stands on an arrow. */
export const labelText = ({ label, guard }: Transition): string =>
  guard === null ? label : `${label} [${guard}]`;

/** A transition that stays in its state; ↻ when the state is left and entered again. */
function insideText(transition: Transition): string {
  const { targets, actions } = transition;
  return [
    labelText(transition),
    targets.length > 0 ? '↻' : '',
    actions.length > 0 ? `/ ${actions.join(', ')}` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** The last key of a path; a root is called by its machine's id. */
export const stateName = (path: string, chartId: string): string => path.split('.').at(-1) || chartId;
