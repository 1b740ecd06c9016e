import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import type { Chart } from '../../live/picture.ts';
import { measures } from './chart-measures.ts';
import { labelText, rowsOf, stateName, type State, type TextRow, type Transition } from './chart-texts.ts';

/** A state to be drawn: its texts, and what is inside. */
export interface StateNode extends ElkNode {
  readonly kind: 'state';
  readonly path: string;
  readonly type: State['type'];
  readonly title: string;
  readonly rows: readonly TextRow[];
  readonly children?: (StateNode | DotNode)[];
}

/** A mark inside a state: where it is entered first, or what may happen wherever in it one is. */
export interface DotNode extends ElkNode {
  readonly kind: 'initial' | 'anywhere';
}

/** One arrow: all transitions from one state to another, a line of text each; none on the one from where a state is entered. */
export interface Arrow extends ElkExtendedEdge {
  /** Paths of states. */
  readonly from: string;
  readonly to: string;
  readonly lines: readonly { readonly transition: string; readonly text: string }[];
}

export interface ChartGraph extends ElkNode {
  readonly children: StateNode[];
  readonly edges: Arrow[];
}

/** A chart as the graph that is laid out and drawn: each state is a node, each pair of states that are connected an arrow. */
export function graphOf(chart: Chart): ChartGraph {
  const [root] = chart.states;
  if (!root) throw new TypeError(`The chart ${chart.id} has no states.`);
  return {
    id: chart.id,
    children: [nodeOf(root, chart)],
    edges: [...entrances(chart), ...arrows(chart.transitions.filter((one) => !stays(one)))],
    layoutOptions: LAYOUT,
  };
}

/** Edges that are not drawn: they put the regions of a parallel state in two rows, so that the chart is not one long line. */
export function inTwoRows({ states }: Chart): ElkExtendedEdge[] {
  return states
    .filter(({ type }) => type === 'parallel')
    .flatMap(({ path }) => {
      const regions = states.filter(({ parent }) => parent === path).map((region) => `state:${region.path}`);
      const columns = Math.floor(regions.length / 2);
      return regions.slice(columns).map((below, i) => ({
        id: `below:${below}`,
        sources: [regions[Math.min(i, columns - 1)] ?? below],
        targets: [below],
      }));
    });
}

/** Whether it is written into its state instead of being drawn as an arrow. */
export const stays = ({ source, targets }: Transition): boolean =>
  targets.every((target) => target === source);

function nodeOf(state: State, chart: Chart): StateNode {
  const { path, type, initial } = state;
  const own = chart.transitions.filter(({ source }) => source === path);
  const rows = rowsOf(state, own.filter(stays));
  const title = stateName(path, chart.id);
  const size = measures.box(title, rows);
  const node = { id: `state:${path}`, kind: 'state', path, type, title, rows } as const;
  const inner = chart.states.filter(({ parent }) => parent === path);
  if (inner.length === 0) return { ...node, ...size };
  const children: StateNode['children'] = inner.map((child) => nodeOf(child, chart));
  if (initial !== null) children.unshift({ id: `initial:${path}`, kind: 'initial', ...measures.dot });
  if (own.some(isInward)) children.unshift({ id: `anywhere:${path}`, kind: 'anywhere', ...measures.dot });
  return {
    ...node,
    children,
    layoutOptions: {
      ...LAYOUT,
      'elk.padding': `[top=${size.height + 4},left=16,bottom=16,right=16]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${size.width},${size.height})`,
    },
  };
}

/** From a state to one inside it. */
const isInward = ({ source, targets }: Transition): boolean =>
  targets.some((target) => isInside(target, source));

const isInside = (path: string, outer: string): boolean =>
  path !== outer && (outer === '' || path.startsWith(`${outer}.`));

const entrances = ({ states }: Chart): Arrow[] =>
  states.flatMap(({ path, initial }) =>
    initial === null
      ? []
      : [
          {
            id: `initial ${path}`,
            from: path,
            to: initial,
            lines: [],
            sources: [`initial:${path}`],
            targets: [`state:${initial}`],
          },
        ],
  );

function arrows(transitions: readonly Transition[]): Arrow[] {
  const byEnds = new Map<string, { from: string; to: string; lines: Arrow['lines'][number][] }>();
  for (const transition of transitions)
    for (const to of transition.targets) {
      const key = `${transition.source} → ${to}`;
      const arrow = byEnds.get(key) ?? { from: transition.source, to, lines: [] };
      arrow.lines.push({ transition: transition.id, text: labelText(transition) });
      byEnds.set(key, arrow);
    }
  return [...byEnds].map(([id, { from, to, lines }]) => ({
    id,
    from,
    to,
    lines,
    sources: [isInside(to, from) ? `anywhere:${from}` : `state:${from}`],
    targets: [`state:${to}`],
    labels: [
      {
        id: `label ${id}`,
        text: id,
        ...measures.label(lines.map(({ text }) => text)),
        layoutOptions: { 'elk.edgeLabels.inline': 'true' },
      },
    ],
  }));
}

/** Layered from top to bottom, across all levels of nesting; each label has a place of its own on its arrow. */
const LAYOUT = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  // What is entered first stands first.
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.edgeLabels.centerLabelPlacementStrategy': 'TAIL_LAYER',
  'elk.spacing.nodeNode': '20',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '10',
  'elk.layered.spacing.nodeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeNodeBetweenLayers': '10',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
};
