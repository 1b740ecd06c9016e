import { memo } from 'preact/compat';
import './chart-svg.css';
import { measures } from './chart-measures.ts';
import type { Drawing, DrawnArrow, DrawnState } from './drawing.ts';
import type { Lit } from './lit.ts';

interface Props {
  readonly drawing: Drawing;
  readonly lit: Lit;
  /** Counts the events: the same transition taken twice is shown twice. */
  readonly turn: number;
}

/** A chart as SVG elements: states, arrows over them, their labels over both. */
export function ChartSvg({ drawing, lit, turn }: Props) {
  return (
    <g class="chart">
      {drawing.states.map((state) => (
        <StateBox
          key={state.path}
          state={state}
          light={lightOf(state.path, lit)}
          tookHere={state.rows.some((row) => row.transition !== null && lit.took.includes(row.transition))}
          took={lit.took}
        />
      ))}
      {drawing.dots.map(({ id, kind, x, y, width }) => (
        <circle key={id} class={`chart-${kind}`} cx={x + width / 2} cy={y + width / 2} r={width / 2 - 1} />
      ))}
      {drawing.arrows.map((arrow) => (
        <path
          key={arrow.id}
          class="chart-arrow"
          data-arrow={arrow.id}
          d={pathOf(arrow)}
          marker-end="url(#chart-head)"
        />
      ))}
      <Taken key={turn} drawing={drawing} took={lit.took} />
      {drawing.arrows.map((arrow) => (
        <Label key={arrow.id} arrow={arrow} took={lit.took} />
      ))}
    </g>
  );
}

/** The heads of arrows; once a page is enough. */
export const ChartMarkers = () => (
  <defs>
    {['chart-head', 'chart-head-taken'].map((id) => (
      <marker
        key={id}
        id={id}
        viewBox="0 0 8 8"
        refX="7"
        refY="4"
        markerWidth="8"
        markerHeight="8"
        markerUnits="userSpaceOnUse"
        orient="auto"
      >
        <path d="M0 .5 L8 4 L0 7.5z" />
      </marker>
    ))}
  </defs>
);

type Light = 'in' | 'inside' | 'was' | 'off';

function lightOf(path: string, lit: Lit): Light {
  if (lit.innermost.has(path)) return 'in';
  if (lit.states.has(path)) return 'inside';
  return lit.before.has(path) ? 'was' : 'off';
}

interface StateProps {
  readonly state: DrawnState;
  readonly light: Light;
  readonly tookHere: boolean;
  readonly took: readonly string[];
}

const StateBox = memo(
  ({ state, light, took }: StateProps) => {
    const { path, type, title, rows, x, y, width, height, depth } = state;
    const { inset, title: head, text } = measures;
    return (
      <g class="chart-state" data-state={path} data-type={type} data-light={light} data-depth={depth % 2}>
        <rect class="chart-box" x={x} y={y} width={width} height={height} rx="7" />
        {type === 'final' && (
          <rect class="chart-inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx="5" />
        )}
        <text class="chart-title" x={x + inset} y={y + head.line - 4}>
          {title}
        </text>
        {rows.map((row, i) => (
          <text
            key={row.text}
            class={`chart-row chart-row-${row.kind}`}
            data-transition={row.transition}
            data-taken={row.transition !== null && took.includes(row.transition) ? '' : undefined}
            x={x + inset}
            y={y + head.line + text.line * (i + 1) - 1}
          >
            {row.text}
          </text>
        ))}
      </g>
    );
  },
  (before, after) =>
    before.state === after.state && before.light === after.light && !before.tookHere && !after.tookHere,
);

function Label({ arrow: { label, lines, from, to }, took }: { arrow: DrawnArrow; took: readonly string[] }) {
  if (!label) return null;
  const { text } = measures;
  return (
    <g class="chart-label" data-from={from} data-to={to}>
      <rect x={label.x} y={label.y} width={label.width} height={label.height} rx="4" />
      {lines.map((line, i) => (
        <text
          key={line.transition}
          data-transition={line.transition}
          data-taken={took.includes(line.transition) ? '' : undefined}
          x={label.x + 7}
          y={label.y + text.line * (i + 1) - 1}
        >
          {line.text}
        </text>
      ))}
    </g>
  );
}

/** The arrows just taken, drawn once more over the others, one after the other. */
function Taken({ drawing, took }: { drawing: Drawing; took: readonly string[] }) {
  const arrows = took.flatMap(
    (id) => drawing.arrows.find(({ lines }) => lines.some(({ transition }) => transition === id)) ?? [],
  );
  return (
    <g>
      {arrows.map((arrow, i) => (
        <path
          key={arrow.id}
          class="chart-taken"
          data-arrow={arrow.id}
          d={pathOf(arrow)}
          pathLength="1"
          style={{ animationDelay: `${i * 220}ms` }}
          marker-end="url(#chart-head-taken)"
        />
      ))}
    </g>
  );
}

/** Straight lines with round corners. */
function pathOf({ points }: DrawnArrow): string {
  return points
    .map((point, i) => {
      const before = points[i - 1];
      const after = points[i + 1];
      if (!before) return `M${point.x} ${point.y}`;
      if (!after) return `L${point.x} ${point.y}`;
      const from = towards(point, before);
      const to = towards(point, after);
      return `L${from.x} ${from.y} Q${point.x} ${point.y} ${to.x} ${to.y}`;
    })
    .join(' ');
}

const RADIUS = 5;

function towards(point: DrawnArrow['points'][number], other: DrawnArrow['points'][number]) {
  const length = Math.hypot(other.x - point.x, other.y - point.y);
  const share = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length;
  return { x: point.x + (other.x - point.x) * share, y: point.y + (other.y - point.y) * share };
}
