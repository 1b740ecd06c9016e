import type { ElkNode } from 'elkjs/lib/elk-api.js';
import type { Arrow, ChartGraph, DotNode, StateNode } from './chart-graph.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface DrawnState extends Box, Pick<StateNode, 'path' | 'type' | 'title' | 'rows'> {
  /** Levels of states around it. */
  readonly depth: number;
}

export interface DrawnDot extends Box, Pick<DotNode, 'id' | 'kind'> {}

export interface DrawnArrow extends Pick<Arrow, 'id' | 'from' | 'to' | 'lines'> {
  /** The corners that it passes, both ends included. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly label: Box | null;
}

/** A chart with a place for everything, in px. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Outer ones first. */
  readonly states: readonly DrawnState[];
  readonly dots: readonly DrawnDot[];
  readonly arrows: readonly DrawnArrow[];
}

/** Puts together what was to be drawn with the places that the layout gave it. */
export function drawingOf(graph: ChartGraph, placed: ElkNode): Drawing {
  const boxes = new Map<string, Box>();
  const edges = new Map<string, NonNullable<ElkNode['edges']>[number]>();
  const collect = (node: ElkNode): void => {
    boxes.set(node.id, boxOf(node));
    for (const edge of node.edges ?? []) edges.set(edge.id, edge);
    for (const child of node.children ?? []) collect(child);
  };
  collect(placed);
  const place = (id: string): Box => boxes.get(id) ?? boxOf({});
  const states: DrawnState[] = [];
  const dots: DrawnDot[] = [];
  const draw = (node: StateNode | DotNode, depth: number): void => {
    if (node.kind !== 'state') return void dots.push({ id: node.id, kind: node.kind, ...place(node.id) });
    const { path, type, title, rows, children } = node;
    states.push({ path, type, title, rows, depth, ...place(node.id) });
    for (const child of children ?? []) draw(child, depth + 1);
  };
  for (const child of graph.children) draw(child, 0);
  const arrows = graph.edges.map(({ id, from, to, lines }): DrawnArrow => {
    const edge = edges.get(id);
    const [label] = edge?.labels ?? [];
    const points = (edge?.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [
      startPoint,
      ...bendPoints,
      endPoint,
    ]);
    return { id, from, to, lines, points, label: label ? boxOf(label) : null };
  });
  return { width: placed.width ?? 0, height: placed.height ?? 0, states, dots, arrows };
}

const boxOf = ({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box => ({ x, y, width, height });
