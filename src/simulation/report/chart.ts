import { formatBytes } from '../../../machines/vocabulary.ts';
import { formatTime } from '../scenario/format-time.ts';
import type { DeviceResult, RequestResult, RunnerResult, SimulationResult } from '../scenario/result.ts';
import { escapeHtml } from './escape-html.ts';

/** Units of the drawing; the page scales it to its width. */
const WIDTH = 1000;
const LEFT = 120;
const MEMORY_HEIGHT = 64;
const ROW = 18;
const QUEUE_HEIGHT = 36;
const GAP = 14;
/** More rows than these would hide the rest of the page; a trace file has them all. */
const MOST_REQUESTS = 60;
const NARROWEST_LABEL = 46;

/** Draws one run: per device its memory and its runners' states, then the queue, the requests, and the decisions. */
export function chartOf(result: SimulationResult): string {
  const xOf = (ms: number): number => LEFT + ((WIDTH - LEFT) * ms) / Math.max(1, result.endedAtMs);
  const chart = new Chart(xOf, result.endedAtMs);
  for (const device of result.devices) {
    chart.memory(device);
    for (const runner of result.runners) if (device.id in runner.reservation) chart.runner(runner);
    chart.gap();
  }
  chart.queue(result);
  for (const request of result.requests.slice(0, MOST_REQUESTS)) chart.request(request);
  const left = result.requests.length - MOST_REQUESTS;
  if (left > 0) chart.note(`and ${left} more requests`);
  chart.gap();
  chart.decisions(result);
  return chart.draw();
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** A drawing that grows downwards. */
class Chart {
  readonly #parts: string[] = [];
  readonly #xOf: (ms: number) => number;
  readonly #endMs: number;
  #top = 0;

  constructor(xOf: (ms: number) => number, endMs: number) {
    this.#xOf = xOf;
    this.#endMs = endMs;
  }

  gap(): void {
    this.#top += GAP;
  }

  note(text: string): void {
    this.#label(text, this.#top + 12);
    this.#top += ROW;
  }

  memory({ id, totalBytes, limitBytes, samples }: DeviceResult): void {
    const base = this.#top + MEMORY_HEIGHT;
    const yOf = (bytes: number): number => base - (MEMORY_HEIGHT * Math.min(bytes, totalBytes)) / totalBytes;
    this.#label(id, this.#top + 12, 'name');
    this.#label(formatBytes(totalBytes), this.#top + 26, 'dim');
    this.#rect(LEFT, this.#top, WIDTH - LEFT, MEMORY_HEIGHT, 'back');
    const layers = [
      ['others', (one: (typeof samples)[number]) => one.othersBytes],
      ['reserved', (one: (typeof samples)[number]) => one.reservedBytes],
      ['held', (one: (typeof samples)[number]) => one.heldBytes],
    ] as const;
    for (const [name, bytesOf] of layers) {
      const points = samples.map((sample) => ({ x: this.#xOf(sample.atMs), y: yOf(bytesOf(sample)) }));
      this.#parts.push(`<path class="${name}" d="${stepPath(points, this.#xOf(this.#endMs), base)}"/>`);
    }
    if (limitBytes < totalBytes) this.#line(yOf(limitBytes), 'limit', `limit ${formatBytes(limitBytes)}`);
    samples.forEach((sample, i) => {
      const toMs = samples[i + 1]?.atMs ?? this.#endMs;
      const text = `${formatTime(sample.atMs)}: ${formatBytes(sample.reservedBytes)} promised, ${formatBytes(sample.heldBytes)} in use, ${formatBytes(sample.othersBytes)} of others`;
      this.#bar(sample.atMs, toMs, this.#top, MEMORY_HEIGHT, 'touch', text);
    });
    this.#top = base + 4;
  }

  runner({ id, model, spans }: RunnerResult): void {
    this.#label(`${model}`, this.#top + 12);
    for (const { state, leases, fromMs, toMs } of spans) {
      const text = `${model} (${id}) ${state}${leases > 0 ? `, ${leases} leases` : ''}: ${formatTime(fromMs)} – ${formatTime(toMs)}`;
      if (state !== 'gone') this.#bar(fromMs, toMs, this.#top, ROW - 4, `state ${state}`, text, state);
    }
    this.#top += ROW;
  }

  queue({ queue }: SimulationResult): void {
    const most = Math.max(1, ...queue.map((sample) => sample.waiting));
    const base = this.#top + QUEUE_HEIGHT;
    this.#label('queue', this.#top + 12, 'name');
    this.#label(`most: ${Math.max(0, ...queue.map((sample) => sample.waiting))}`, this.#top + 26, 'dim');
    this.#rect(LEFT, this.#top, WIDTH - LEFT, QUEUE_HEIGHT, 'back');
    const points = queue.map(({ atMs, waiting }) => ({
      x: this.#xOf(atMs),
      y: base - (QUEUE_HEIGHT * waiting) / most,
    }));
    this.#parts.push(`<path class="waiting" d="${stepPath(points, this.#xOf(this.#endMs), base)}"/>`);
    queue.forEach(({ atMs, waiting }, i) => {
      const toMs = queue[i + 1]?.atMs ?? this.#endMs;
      this.#bar(atMs, toMs, this.#top, QUEUE_HEIGHT, 'touch', `${formatTime(atMs)}: ${waiting} wait`);
    });
    this.#top = base + GAP;
  }

  request({ id, model, submittedAtMs, grantedAtMs, endedAtMs, outcome, failure }: RequestResult): void {
    this.#label(id, this.#top + 12);
    const endMs = endedAtMs ?? this.#endMs;
    const waitEndMs = grantedAtMs ?? endMs;
    const waited = `${id} (${model}) waited ${formatTime(waitEndMs - submittedAtMs)}`;
    this.#bar(submittedAtMs, waitEndMs, this.#top, ROW - 6, 'wait', waited);
    const fate = `${id} (${model}) ${outcome}${failure ? `: ${failure.message}` : ''}`;
    if (grantedAtMs !== null) this.#bar(grantedAtMs, endMs, this.#top, ROW - 6, `outcome ${outcome}`, fate);
    if (grantedAtMs === null && failure !== null)
      this.#bar(endMs, endMs, this.#top, ROW - 6, 'outcome refused', fate);
    this.#top += ROW - 2;
  }

  decisions({ decisions }: SimulationResult): void {
    this.#label('decisions', this.#top + 12, 'name');
    for (const { kind, model, reason, atMs } of decisions) {
      const text = `${formatTime(atMs)} ${kind} ${model}: ${reason}`;
      const x = round(this.#xOf(atMs));
      this.#parts.push(
        `<circle class="decision ${kind}" cx="${x}" cy="${this.#top + 9}" r="4"><title>${escapeHtml(text)}</title></circle>`,
      );
    }
    this.#top += ROW + 4;
    for (let i = 0; i <= 5; i++) {
      const ms = (this.#endMs * i) / 5;
      const anchor = i === 0 ? 'start' : i === 5 ? 'end' : 'middle';
      this.#parts.push(
        `<text class="dim" x="${round(this.#xOf(ms))}" y="${this.#top + 10}" text-anchor="${anchor}">${formatTime(Math.round(ms / 100) * 100)}</text>`,
      );
    }
    this.#top += ROW;
  }

  draw(): string {
    return `<svg viewBox="0 0 ${WIDTH} ${this.#top}" role="img" aria-label="what happened, over time">${this.#parts.join('')}</svg>`;
  }

  #bar(
    fromMs: number,
    toMs: number,
    y: number,
    height: number,
    kind: string,
    text: string,
    label = '',
  ): void {
    const x = this.#xOf(fromMs);
    const width = Math.max(kind === 'touch' ? 0 : 1.5, this.#xOf(toMs) - x);
    this.#parts.push(
      `<rect class="${kind}" x="${round(x)}" y="${y}" width="${round(width)}" height="${height}"><title>${escapeHtml(text)}</title></rect>`,
    );
    if (label !== '' && width >= NARROWEST_LABEL)
      this.#parts.push(
        `<text class="inside on-${label}" x="${round(x + 4)}" y="${y + 11}">${escapeHtml(label)}</text>`,
      );
  }

  #rect(x: number, y: number, width: number, height: number, kind: string): void {
    this.#parts.push(`<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}"/>`);
  }

  #line(y: number, kind: string, text: string): void {
    this.#parts.push(
      `<line class="${kind}" x1="${LEFT}" x2="${WIDTH}" y1="${round(y)}" y2="${round(y)}"><title>${escapeHtml(text)}</title></line>`,
    );
  }

  #label(text: string, y: number, kind = 'label'): void {
    const short = text.length > 18 ? `${text.slice(0, 17)}…` : text;
    this.#parts.push(`<text class="${kind}" x="0" y="${y}">${escapeHtml(short)}</text>`);
  }
}

/** A filled line that goes in steps: each value holds until the next. */
function stepPath(points: readonly { x: number; y: number }[], right: number, base: number): string {
  const [first] = points;
  if (!first) return '';
  const steps = points.map(({ x, y }, i) => `L${round(x)} ${round(points[i - 1]?.y ?? base)}V${round(y)}`);
  return `M${round(first.x)} ${base}${steps.join('')}H${round(right)}V${base}Z`;
}
