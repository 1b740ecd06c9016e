/**
 * A process of many WebSocket readers, for `npm run bench:readers`: told over IPC to come and to leave. It reads what it gets and
 * does nothing with it, at the lowest priority: what is measured is the server, not its readers.
 */
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { WebSocket } from 'ws';

/** What the bench says. */
export type Order =
  | { readonly kind: 'come'; readonly url: string; readonly count: number; readonly stalled: number }
  | { readonly kind: 'leave' };
/** What the crowd answers, once it has done so. */
export interface Done {
  readonly messages: number;
  readonly connected: number;
}

const TOPICS = ['runners', 'queue', 'devices', 'decisions'];
/** Connections that are opened at a time. */
const AT_A_TIME = 25;

let readers: WebSocket[] = [];
let messages = 0;

async function come(url: string, isStalled: boolean): Promise<void> {
  const reader = new WebSocket(url);
  reader.on('message', () => messages++);
  reader.on('error', () => {});
  await once(reader, 'open');
  for (const topic of TOPICS) reader.send(JSON.stringify({ v: 1, type: 'subscribe', id: topic, topic }));
  reader.send(
    JSON.stringify({ v: 1, type: 'subscribe', id: 'log', topic: 'log', params: { model: 'bench' } }),
  );
  if (isStalled) reader.pause();
  readers.push(reader);
}

async function obey(order: Order): Promise<void> {
  if (order.kind === 'come')
    for (let first = 0; first < order.count; first += AT_A_TIME)
      await Promise.all(
        Array.from({ length: Math.min(AT_A_TIME, order.count - first) }, (_, i) =>
          come(order.url, first + i < order.stalled),
        ),
      );
  const connected = readers.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
  if (order.kind === 'leave') {
    for (const reader of readers) reader.terminate();
    readers = [];
  }
  process.send?.({ messages, connected } satisfies Done);
  messages = 0;
}

setPriority(19);
process.on('message', (order: Order) => void obey(order));
