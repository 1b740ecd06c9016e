import type { ELK } from 'elkjs/lib/elk-api.js';
import type { Chart } from '../../live/picture.ts';
import { graphOf, inTwoRows } from './chart-graph.ts';
import { drawingOf, type Drawing } from './drawing.ts';

/** Drawings by definition: laid out once, as long as the page is open. */
const drawings = new Map<string, Promise<Drawing>>();

/** Lays a chart out, away from the page's own thread. Rejects when the layout engine cannot be loaded. */
export function layOut(chart: Chart): Promise<Drawing> {
  const key = JSON.stringify(chart);
  const known = drawings.get(key);
  if (known) return known;
  const drawing = place(chart);
  drawings.set(key, drawing);
  // May succeed another time.
  drawing.catch(() => drawings.delete(key));
  return drawing;
}

async function place(chart: Chart): Promise<Drawing> {
  const elk = await (engine ??= loadEngine());
  const graph = graphOf(chart);
  return drawingOf(graph, await elk.layout({ ...graph, edges: [...graph.edges, ...inTwoRows(chart)] }));
}

let engine: Promise<ELK> | null = null;

async function loadEngine(): Promise<ELK> {
  const [{ default: Elk }, { default: workerUrl }] = await Promise.all([
    import('elkjs/lib/elk-api.js'),
    import('elkjs/lib/elk-worker.min.js?url'),
  ]);
  return new Elk({ workerFactory: () => new Worker(workerUrl) });
}
