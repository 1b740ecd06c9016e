import type { MachineDescription, StateDescription, TransitionDescription } from './describe-machine.ts';

/**
 * A machine as a mermaid `stateDiagram-v2`. Mermaid draws no arrow between the insides of two composite states, so each
 * arrow is drawn where the two paths part: between siblings. Arrows of the same pair are one with several labels, and
 * what leads back to its own state is left to the table.
 */
export function stateDiagram(machine: MachineDescription): string {
  const arrows = arrowsOf(machine);
  const childrenOf = (path: string) => machine.states.filter(({ parent }) => parent === path);

  const draw = (state: StateDescription, indent: string): string[] => {
    const children = childrenOf(state.path);
    const title = `${indent}state "${lastKey(state.path)}" as ${nodeId(state.path)}`;
    const end = state.type === 'final' ? [`${indent}${nodeId(state.path)} --> [*]`] : [];
    if (children.length === 0) return [title, ...end];
    return [`${title} {`, ...drawInside(state, children, `${indent}  `), `${indent}}`];
  };
  const drawInside = (state: StateDescription, children: readonly StateDescription[], indent: string) => [
    ...(state.initial === null ? [] : [`${indent}[*] --> ${nodeId(state.initial)}`]),
    ...children.flatMap((child) => draw(child, indent)),
    ...arrows
      .filter(({ inside }) => inside === state.path)
      .map(({ from, to, labels }) => `${indent}${nodeId(from)} --> ${nodeId(to)} : ${labels.join('<br/>')}`),
  ];

  const [root] = machine.states;
  return ['stateDiagram-v2', ...(root ? drawInside(root, childrenOf(root.path), '  ') : [])].join('\n');
}

interface Arrow {
  /** The state inside which it is drawn. */
  readonly inside: string;
  readonly from: string;
  readonly to: string;
  readonly labels: string[];
}

function arrowsOf({ states, transitions }: MachineDescription): Arrow[] {
  const arrows = new Map<string, Arrow>();
  for (const transition of transitions) {
    for (const { inside, from, to } of ends(states, transition)) {
      if (from === to) continue;
      const arrow = arrows.get(`${from} ${to}`) ?? { inside, from, to, labels: [] };
      const label = labelOf(transition);
      if (!arrow.labels.includes(label)) arrow.labels.push(label);
      arrows.set(`${from} ${to}`, arrow);
    }
  }
  return [...arrows.values()];
}

function* ends(states: readonly StateDescription[], { source, targets }: TransitionDescription) {
  const from = keysOf(source);
  for (const target of targets) {
    const to = keysOf(target);
    const parting = from.findIndex((key, depth) => key !== to[depth]);
    const depth = parting === -1 ? from.length : parting;
    // The target holds the source, or is it: the arrow would lead back.
    if (depth === to.length) continue;
    const inside = to.slice(0, depth).join('.');
    const end = to.slice(0, depth + 1).join('.');
    // The source holds the target: the move is open to every child of the source.
    const starts =
      depth === from.length
        ? states.filter(({ parent }) => parent === inside).map(({ path }) => path)
        : [from.slice(0, depth + 1).join('.')];
    for (const start of starts) yield { inside, from: start, to: end };
  }
}

const keysOf = (path: string): string[] => (path === '' ? [] : path.split('.'));
const lastKey = (path: string): string => keysOf(path).at(-1) ?? path;
/** Mermaid takes neither dots nor hyphens in an id. */
const nodeId = (path: string): string => path.replaceAll('.', '__').replaceAll('-', '_');
/** Colons and semicolons end a label. */
const labelOf = ({ label, guard }: TransitionDescription): string =>
  `${label}${guard === null ? '' : ` [${guard}]`}`.replaceAll(/[:;]/g, '');
