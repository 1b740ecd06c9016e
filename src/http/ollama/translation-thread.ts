import { parentPort } from 'node:worker_threads';
import { translate, type Jobs, type Kind } from './translate.ts';

/** What a thread of the translator's does: one body after the other, whose bytes come and go without being copied. */
parentPort?.on('message', ({ kind, job }: { readonly kind: Kind; readonly job: Jobs[Kind] }) => {
  const translated = translate(kind, job);
  parentPort?.postMessage(translated, buffersIn(translated));
});

const buffersIn = (value: unknown): ArrayBuffer[] => {
  if (value instanceof Uint8Array) return [value.buffer as ArrayBuffer];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(buffersIn) : [];
};
