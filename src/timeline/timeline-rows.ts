import { formatBytes } from '../../machines/vocabulary.ts';
import { lanesOf } from './lanes.ts';
import type {
  TimelineData,
  TimelineDecision,
  TimelineDevice,
  TimelineRequest,
  TimelineRunner,
} from './timeline-data.ts';

/** What a row shows. */
export type RowContent =
  | { readonly kind: 'memory'; readonly device: TimelineDevice }
  | { readonly kind: 'runners'; readonly model: string; readonly runners: readonly TimelineRunner[] }
  | { readonly kind: 'queue'; readonly samples: TimelineData['queue']; readonly most: number }
  | { readonly kind: 'requests'; readonly requests: readonly TimelineRequest[] }
  | { readonly kind: 'decisions'; readonly decisions: readonly TimelineDecision[] }
  | { readonly kind: 'note' };

/** One row of the drawing, from the top down; in px. */
export interface TimelineRow {
  readonly key: string;
  readonly top: number;
  readonly height: number;
  readonly name: string;
  /** Below the name. */
  readonly detail: string;
  readonly content: RowContent;
}

const MEMORY = 56;
const LANE = 18;
const QUEUE = 36;
const REQUESTS = 14;
const GAP = 14;
/** More lanes than these would hide the rest. */
const MOST_LANES = 40;

type Untopped = Omit<TimelineRow, 'top'> & { readonly gap?: number };

/**
 * The rows of a timeline: what was decided, who waited, then each device with its memory and the models on it. A model keeps its
 * row while its runners come and go.
 */
export function timelineRows(data: TimelineData): TimelineRow[] {
  const rows: Untopped[] = [decisionsRow(data), queueRow(data), ...requestRows(data)];
  for (const device of data.devices) rows.push(memoryRow(device), ...runnerRows(device, data));
  let top = 0;
  return rows.map(({ gap = 0, ...row }) => {
    const placed = { ...row, top: top + gap };
    top = placed.top + placed.height;
    return placed;
  });
}

/** Height of all rows, in px. */
export function heightOf(rows: readonly TimelineRow[]): number {
  const last = rows.at(-1);
  return last ? last.top + last.height : 0;
}

const decisionsRow = ({ decisions }: TimelineData): Untopped => ({
  key: 'decisions',
  height: LANE + 4,
  name: 'decisions',
  detail: '',
  content: { kind: 'decisions', decisions },
});

function queueRow({ queue }: TimelineData): Untopped {
  const most = queue.reduce((max, { waiting }) => Math.max(max, waiting), 0);
  return {
    key: 'queue',
    height: QUEUE,
    gap: 4,
    name: 'queue',
    detail: `most: ${most}`,
    content: { kind: 'queue', samples: queue, most: Math.max(1, most) },
  };
}

function requestRows({ requests, toMs }: TimelineData): Untopped[] {
  const ordered = requests.toSorted((a, b) => a.submittedAtMs - b.submittedAtMs);
  const lanes = lanesOf(ordered, ({ submittedAtMs, grantedAtMs, endedAtMs, outcome }) => ({
    fromMs: submittedAtMs,
    toMs: endedAtMs ?? (outcome === 'waiting' || outcome === 'running' ? toMs : (grantedAtMs ?? toMs)),
  }));
  const rows = lanes.slice(0, MOST_LANES).map((lane, i): Untopped => ({
    key: `requests ${i}`,
    height: REQUESTS,
    gap: i === 0 ? 6 : 0,
    name: i === 0 ? 'requests' : '',
    detail: '',
    content: { kind: 'requests', requests: lane },
  }));
  const left = lanes.slice(MOST_LANES).flat().length;
  if (left === 0) return rows;
  const name = `and ${left} more`;
  return [...rows, { key: 'more requests', height: LANE, name, detail: '', content: { kind: 'note' } }];
}

const memoryRow = (device: TimelineDevice): Untopped => ({
  key: `memory ${device.id}`,
  height: MEMORY,
  gap: GAP,
  name: device.id,
  detail: formatBytes(Math.min(device.limitBytes, device.totalBytes)),
  content: { kind: 'memory', device },
});

function runnerRows({ id }: TimelineDevice, { runners }: TimelineData): Untopped[] {
  const byModel = new Map<string, TimelineRunner[]>();
  for (const runner of runners) {
    if (!runner.deviceIds.includes(id)) continue;
    const known = byModel.get(runner.model);
    if (known) known.push(runner);
    else byModel.set(runner.model, [runner]);
  }
  return [...byModel].flatMap(([model, all], index) =>
    lanesOf(all, lifeOf).map((lane, i): Untopped => ({
      key: `runners ${id} ${model} ${i}`,
      height: LANE,
      gap: index === 0 && i === 0 ? 4 : 0,
      name: i === 0 ? model : '',
      detail: '',
      content: { kind: 'runners', model, runners: lane },
    })),
  );
}

const lifeOf = ({ spans }: TimelineRunner) => ({
  fromMs: spans[0]?.fromMs ?? 0,
  toMs: spans.at(-1)?.toMs ?? 0,
});
