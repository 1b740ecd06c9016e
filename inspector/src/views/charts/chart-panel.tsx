import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Chart } from '../../live/picture.ts';
import './chart-panel.css';
import { ChartMarkers, ChartSvg } from './chart-svg.tsx';
import type { Drawing } from './drawing.ts';
import { layOut } from './lay-out.ts';
import type { Lit } from './lit.ts';
import { useViewport } from './use-viewport.ts';

interface Props {
  readonly chart: Chart;
  readonly actor: string;
  readonly lit: Lit;
  readonly turn: number;
}

/** A chart in a window of its own, which can be moved and enlarged. */
export function ChartPanel({ chart, actor, lit, turn }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const { drawing, problem } = useDrawing(chart);
  const inside = [...lit.innermost][0];
  const focus = useMemo(() => drawing?.states.find(({ path }) => path === inside) ?? null, [drawing, inside]);
  const { view, follows, fit, zoomBy, follow } = useViewport(frame, drawing, focus);
  const place = [...lit.innermost].join(' and ') || 'no state';
  return (
    <div
      ref={frame}
      class="chart-frame"
      tabIndex={0}
      role="group"
      aria-label="The chart. Arrow keys move it, plus and minus change its size, 0 shows all of it, F follows the state."
    >
      {problem !== null && (
        <p class="empty" role="alert">
          The chart could not be drawn: {problem}
        </p>
      )}
      {!drawing && problem === null && <p class="empty">Drawing the chart…</p>}
      <svg width="100%" height="100%" role="img" aria-label={`${actor} is in ${place}`} data-chart={chart.id}>
        <ChartMarkers />
        {drawing && view && (
          <g
            class="chart-moved"
            data-follows={follows}
            style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
          >
            <ChartSvg drawing={drawing} lit={lit} turn={turn} />
          </g>
        )}
      </svg>
      <div class="chart-tools" role="toolbar" aria-label="View of the chart">
        <button type="button" onClick={() => zoomBy(1 / 1.25)} aria-label="Smaller">
          −
        </button>
        <button type="button" onClick={() => zoomBy(1.25)} aria-label="Larger">
          +
        </button>
        <button type="button" onClick={fit}>
          Fit
        </button>
        <button type="button" aria-pressed={follows} onClick={follow} title="Keep the lit state in sight">
          Follow
        </button>
      </div>
    </div>
  );
}

function useDrawing(chart: Chart): { drawing: Drawing | null; problem: string | null } {
  const [drawn, setDrawn] = useState<{ id: string; drawing: Drawing } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let isWanted = true;
    layOut(chart).then(
      (drawing) => isWanted && setDrawn({ id: chart.id, drawing }),
      (error: unknown) => isWanted && setProblem(String(error)),
    );
    return () => {
      isWanted = false;
    };
  }, [chart]);
  // Not the one of the actor before, while the next is laid out.
  return { drawing: drawn?.id === chart.id ? drawn.drawing : null, problem };
}
