import { signal, type ReadonlySignal } from '@preact/signals';
import type { Picture as TopicPicture, Topic } from 'corral/client';
import { inOrder } from './in-order.ts';
import { inNextFrame } from './next-frame.ts';
import type { Chart, Model, Picture } from './picture.ts';
import { clockOffsetMs, follow, open } from './session.ts';

const runners = signal<Picture['runners']>([]);
const queue = signal<Picture['queue']>([]);
const devices = signal<Picture['devices']>([]);
const actors = signal<Picture['actors']>([]);
const decisions = signal<Picture['decisions']>([]);
const events = signal<Picture['events']>([]);
const nowMs = signal(Date.now());

type Signals = { readonly [Part in keyof Picture]: ReadonlySignal<Picture[Part]> };

/** The picture as the server tells it now. Views draw from `shown`, which may be a moment of the past. */
export const live: Signals & { readonly nowMs: ReadonlySignal<number> } = {
  runners,
  queue,
  devices,
  actors,
  decisions,
  events,
  nowMs,
};

/** The statecharts as data. They do not change while Corral runs. */
export const charts = signal<readonly Chart[]>([]);

/** The configured models, in their order. What runs is in `shown`: these are told of the present only. */
export const models = signal<readonly Model[]>([]);

/** Tokens per second, by runner; of those that generate now. */
export const speeds = signal<ReadonlyMap<string, number>>(new Map());

/** The server's time of day, in ms. */
export const serverNowMs = (): number => Date.now() + clockOffsetMs.value;

/** How often clocks on the page move on. */
const TICK_MS = 500;

/** Connects, and keeps the picture up to date from then on. */
export function startLive(): void {
  draw('runners', (rows) => (runners.value = inOrder(rows)));
  draw('queue', (rows) => (queue.value = rows));
  draw('devices', (rows) => (devices.value = rows));
  draw('actors', (rows) => (actors.value = inOrder(rows)));
  draw('models', (rows) => (models.value = rows));
  draw('charts', (rows) => (charts.value = rows));
  draw('decisions', ({ entries }) => (decisions.value = entries));
  draw('events', ({ entries }) => (events.value = entries));
  setInterval(() => (nowMs.value = serverNowMs()), TICK_MS);
  open();
}

const draw = <T extends Exclude<Topic, 'log' | 'terminal'>>(
  topic: T,
  change: (picture: TopicPicture<T>) => void,
): (() => void) => follow(topic, {} as never, (picture) => inNextFrame(topic, () => change(picture)));

/** Has speeds measured, which costs each busy runner a question a second; the answer ends it. */
export const followSpeeds = (): (() => void) =>
  follow('speeds', {}, (rows) => {
    speeds.value = new Map(rows.map(({ id, tokensPerSecond }) => [id, tokensPerSecond]));
  });
