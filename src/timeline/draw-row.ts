import { formatBytes } from '../../machines/vocabulary.ts';
import { samplesIn, staysIn } from './in-window.ts';
import { barOf, classOf, nameOf, round, stepPath, titleOf } from './marks.ts';
import { xOf, type Scale } from './scale.ts';
import type {
  MemorySample,
  QueueSample,
  TimelineDecision,
  TimelineDevice,
  TimelineRequest,
  TimelineRunner,
} from './timeline-data.ts';
import type { TimelineRow } from './timeline-rows.ts';

/** How moments and durations are written, both given in ms. */
export interface TimeFormat {
  readonly moment: (ms: number) => string;
  readonly duration: (ms: number) => string;
}

/** A place to draw at: the window, the upper edge and the height of the row in px, and how times are written. */
interface Place {
  readonly scale: Scale;
  readonly top: number;
  readonly height: number;
  readonly format: TimeFormat;
}

/** Draws one row as SVG: only what is in the window, and no more marks than there are places. */
export function drawRow(
  { top, height, name, detail, content }: TimelineRow,
  scale: Scale,
  format: TimeFormat,
): string {
  const place = { scale, top, height, format };
  const isHead = content.kind !== 'runners';
  const names =
    nameOf(name, top + 12, scale.left, isHead ? 'name' : 'label') +
    (detail === '' ? '' : nameOf(detail, top + 26, scale.left, 'dim'));
  switch (content.kind) {
    case 'memory':
      return names + memory(content.device, place);
    case 'runners':
      return names + content.runners.map((runner) => states(runner, place)).join('');
    case 'queue':
      return names + queue(content.samples, content.most, place);
    case 'requests':
      return names + requests(content.requests, place);
    case 'decisions':
      return names + decisions(content.decisions, place);
    case 'note':
      return names;
  }
}

/** Where a stay begins and ends on the drawing, within the window. */
const within = (
  scale: Scale,
  fromMs: number,
  toMs: number,
): { readonly x: number; readonly toX: number } => ({
  x: xOf(scale, Math.max(fromMs, scale.fromMs)),
  toX: xOf(scale, Math.min(toMs, scale.toMs)),
});

const background = ({ scale: { left, width }, top, height }: Place): string =>
  `<rect class="tl-back" x="${left}" y="${top}" width="${round(width - left)}" height="${height}"/>`;

/** A stepped area of samples, each with an about. */
function area<Sample extends { readonly atMs: number }>(
  samples: readonly Sample[],
  yOf: (sample: Sample) => number,
  kind: string,
  { scale, top, height }: Place,
): string {
  const points = samples.map((sample) => ({
    x: xOf(scale, Math.max(sample.atMs, scale.fromMs)),
    y: yOf(sample),
  }));
  return `<path class="${classOf(kind)}" d="${stepPath(points, scale.width, top + height)}"/>`;
}

/** Invisible bars that say how things are while a sample holds. */
function touches<Sample extends { readonly atMs: number }>(
  samples: readonly Sample[],
  textOf: (sample: Sample) => string,
  { scale, top, height, format }: Place,
): string {
  return samples
    .map((sample, i) => {
      const { x, toX } = within(scale, sample.atMs, samples[i + 1]?.atMs ?? scale.toMs);
      return barOf({
        x,
        toX,
        y: top,
        height,
        kind: 'touch',
        about: `${format.moment(sample.atMs)}: ${textOf(sample)}`,
      });
    })
    .join('');
}

/** Memory is drawn up to so many times the limit. */
const ABOVE_LIMIT = 1.25;

function memory({ totalBytes, limitBytes, samples }: TimelineDevice, place: Place): string {
  const { scale, top, height } = place;
  const shown = samplesIn(samples, scale);
  // A limit far below what there is would else leave nothing to see.
  const mostBytes = Math.min(totalBytes, limitBytes * ABOVE_LIMIT);
  const yOf = (bytes: number): number => top + height - (height * Math.min(bytes, mostBytes)) / mostBytes;
  const layer = (kind: string, bytesOf: (sample: MemorySample) => number): string =>
    area(shown, (sample) => yOf(bytesOf(sample)), kind, place);
  const limit =
    limitBytes < totalBytes
      ? `<line class="tl-limit" x1="${scale.left}" x2="${scale.width}" y1="${round(yOf(limitBytes))}" y2="${round(yOf(limitBytes))}">${titleOf(`limit ${formatBytes(limitBytes)}`)}</line>`
      : '';
  const held = shown.some(({ heldBytes }) => heldBytes !== null)
    ? layer('held', ({ heldBytes }) => heldBytes ?? 0)
    : '';
  return [
    background(place),
    layer('others', ({ othersBytes, reservedBytes }) => othersBytes + reservedBytes),
    layer('reserved', ({ reservedBytes }) => reservedBytes),
    held,
    limit,
    touches(shown, memoryText, place),
  ].join('');
}

const memoryText = ({ reservedBytes, heldBytes, othersBytes }: MemorySample): string =>
  [
    `${formatBytes(reservedBytes)} promised`,
    ...(heldBytes === null ? [] : [`${formatBytes(heldBytes)} in use`]),
    `${formatBytes(othersBytes)} of others`,
  ].join(', ');

function states({ id, model, spans }: TimelineRunner, { scale, top, height, format }: Place): string {
  return staysIn(spans, scale, (span) => span)
    .filter(({ state }) => state !== 'gone')
    .map(({ state, leases, fromMs, toMs }) => {
      const busy = leases > 0 ? `, ${leases} ${leases === 1 ? 'lease' : 'leases'}` : '';
      const about = `${model} (${id}) ${state}${busy}: ${format.moment(fromMs)} – ${format.moment(toMs)}`;
      const bar = { ...within(scale, fromMs, toMs), y: top, height: height - 4, about, label: state };
      return barOf({ ...bar, kind: `state ${state}` });
    })
    .join('');
}

function queue(samples: readonly QueueSample[], most: number, place: Place): string {
  const { scale, top, height } = place;
  const shown = samplesIn(samples, scale);
  const line = area(shown, ({ waiting }) => top + height - (height * waiting) / most, 'waiting', place);
  return background(place) + line + touches(shown, ({ waiting }) => `${waiting} wait`, place);
}

function requests(all: readonly TimelineRequest[], { scale, top, height, format }: Place): string {
  const endOf = ({ endedAtMs, grantedAtMs, outcome }: TimelineRequest): number =>
    endedAtMs ?? (outcome === 'waiting' || outcome === 'running' ? scale.toMs : (grantedAtMs ?? scale.toMs));
  return staysIn(all, scale, (one) => ({ fromMs: one.submittedAtMs, toMs: endOf(one) }))
    .map((one) => {
      const { id, model, submittedAtMs, grantedAtMs, outcome, note } = one;
      const endMs = endOf(one);
      const waitEndMs = grantedAtMs ?? endMs;
      const bar = { y: top, height: height - 3 };
      const waited = `${id} (${model}) waited ${format.duration(waitEndMs - submittedAtMs)} from ${format.moment(submittedAtMs)}`;
      const fate = `${id} (${model}) ${outcome}${note === null ? '' : `: ${note}`}`;
      const wait = barOf({
        ...bar,
        ...within(scale, submittedAtMs, waitEndMs),
        kind: 'wait',
        about: waited,
        label: id,
      });
      if (grantedAtMs === null && note === null) return wait;
      const rest = within(scale, waitEndMs, endMs);
      return wait + barOf({ ...bar, ...rest, kind: `outcome ${outcome}`, about: fate });
    })
    .join('');
}

/** Decisions of one kind closer to each other are one mark, in px. */
const CLOSEST = 2;

function decisions(all: readonly TimelineDecision[], { scale, top, format }: Place): string {
  const lastX = new Map<string, number>();
  return all
    .map(({ atMs, kind, model, reason }, index) => {
      const x = xOf(scale, atMs);
      if (x < scale.left || x > scale.width || x - (lastX.get(kind) ?? -Infinity) < CLOSEST) return '';
      lastX.set(kind, x);
      const about = `${format.moment(atMs)} ${kind} ${model}: ${reason}`;
      return `<circle class="${classOf(`decision ${kind}`)}" data-decision="${index}" cx="${round(x)}" cy="${top + 9}" r="4">${titleOf(about)}</circle>`;
    })
    .join('');
}
