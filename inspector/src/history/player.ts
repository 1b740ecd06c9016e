import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { charts as liveCharts, serverNowMs } from '../live/live.ts';
import type { Chart } from '../live/picture.ts';
import { keyHeaders } from '../live/key.ts';
import { follow } from '../live/session.ts';
import { past } from '../live/shown.ts';
import type { Opened } from './open-file.ts';
import { asShown, keptTopics, type Told } from './pictures.ts';
import { liveBounds, Tape } from './tape.ts';

/** What has been told since the page is open. */
const liveTape = new Tape(liveBounds);

/** A file that is looked at in place of what is live. */
const current = signal<Opened | null>(null);
export const opened: ReadonlySignal<Opened | null> = current;

/** The charts that what is shown moves on. */
export const shownCharts: ReadonlySignal<readonly Chart[]> = computed(
  () => current.value?.charts ?? liveCharts.value,
);

/** From when to when one can look back, in ms; null as long as nothing is known. */
export const span = signal<Tape['span']>(null);

/** How fast time passes while it plays; 0 while it stands still. */
export const speed = signal(0);

const tape = (): Tape => current.value?.tape ?? liveTape;

/** Takes in what the service has kept, if it does; then begins to keep what is told. */
export async function startHistory(): Promise<void> {
  await recall().catch(() => {}); // then the past begins now
  for (const topic of keptTopics)
    follow(topic, {}, (_, message) => {
      liveTape.add(serverNowMs(), message as Told);
    });
  setInterval(() => {
    if (!current.value) span.value = liveTape.span;
  }, 500);
}

/** Whoever waits for the page waits no longer than this for its past. */
const RECALL_WITHIN_MS = 3_000;

async function recall(): Promise<void> {
  const signal = AbortSignal.timeout(RECALL_WITHIN_MS);
  const answer = await fetch(new URL('api/v1/history', document.baseURI), { headers: keyHeaders(), signal });
  if (!answer.ok) return;
  for (const line of (await answer.text()).split('\n')) {
    if (line === '') continue;
    const { at, ...told } = JSON.parse(line) as Told & { readonly at: number };
    liveTape.add(at, told);
  }
  span.value = liveTape.span;
}

/** Shows a moment, as near as it is known. */
export function seek(atMs: number): void {
  const { span: known } = tape();
  if (!known) return;
  const within = Math.min(known.toMs, Math.max(known.fromMs, atMs));
  const pictures = tape().at(within);
  if (pictures) past.value = { ...asShown(pictures), atMs: within };
}

/** Back to what is now; closes a file that is open. */
export function goLive(): void {
  speed.value = 0;
  current.value = null;
  past.value = null;
  span.value = liveTape.span;
}

/** Shows a file, from its beginning. */
export function show(file: Opened): void {
  current.value = file;
  speed.value = 0;
  span.value = file.tape.span;
  seek(span.value?.fromMs ?? 0);
}

/** Lets time pass from the moment that is shown, so many times as fast as it does; 0 stops. */
export function play(times: number): void {
  const isPlaying = speed.value > 0;
  speed.value = past.value === null ? 0 : times;
  if (!isPlaying && speed.value > 0) requestAnimationFrame((now) => step(now, now));
}

function step(beforeMs: number, nowMs: number): void {
  if (speed.value === 0 || past.value === null) return;
  seek(past.value.atMs + (nowMs - beforeMs) * speed.value);
  // What is live goes on while it is caught up with.
  if (past.value.atMs >= (tape().span?.toMs ?? 0)) {
    if (current.value) speed.value = 0;
    else goLive();
    return;
  }
  requestAnimationFrame((next) => step(nowMs, next));
}

/** What is kept, a line each, as a recording file has it. */
export const keptLines = (): Iterable<string> => tape().lines();
