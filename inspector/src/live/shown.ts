import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { live } from './live.ts';
import type { Picture } from './picture.ts';

/** A moment of the past, whole. */
export interface Moment extends Picture {
  /** Time of day, in ms. */
  readonly atMs: number;
}

/** `'live'`, or the moment that is looked back at. */
export type Mode = 'live' | { readonly atMs: number };

/** Set to look at a moment of the past, or of a recording; null shows what is now. */
export const past = signal<Moment | null>(null);

/** What the page shows. */
export const mode: ReadonlySignal<Mode> = computed(() =>
  past.value === null ? 'live' : { atMs: past.value.atMs },
);

/** The picture that every view draws, live or of the past; `nowMs` is the time of day in it. */
export const shown = {
  runners: computed(() => past.value?.runners ?? live.runners.value),
  queue: computed(() => past.value?.queue ?? live.queue.value),
  devices: computed(() => past.value?.devices ?? live.devices.value),
  actors: computed(() => past.value?.actors ?? live.actors.value),
  decisions: computed(() => past.value?.decisions ?? live.decisions.value),
  events: computed(() => past.value?.events ?? live.events.value),
  nowMs: computed(() => past.value?.atMs ?? live.nowMs.value),
};
