import { signal } from '@preact/signals';
import {
  connect,
  type ConnectionState,
  type CorralClient,
  type Hello,
  type OnData,
  type OnProblem,
  type Topic,
  type TopicParams,
} from 'corral/client';
import { key, keyHeaders } from './key.ts';

/** The state of the connection to the Corral that this page is from. */
export const connection = signal<ConnectionState>('connecting');

/** What the server said of itself when it was last connected to. */
export const hello = signal<Hello | null>(null);

/** The server does not let this page in: it wants a key, or another one. */
export const isRefused = signal(false);

/** How far the server's clock is ahead of this machine's, in ms, to within the time of a message. */
export const clockOffsetMs = signal(0);

interface Followed {
  begin(client: CorralClient): () => void;
  stop: () => void;
}

const followed = new Set<Followed>();
let client: CorralClient | null = null;

/** Connects, with the key that is known; a second time with another one. What is followed goes on being followed. */
export function open(): void {
  client?.close();
  const opened = connect(new URL('api/v1/ws', document.baseURI).href, {
    ...(key.value !== null && { key: key.value }),
  });
  client = opened;
  opened.onState((state) => {
    if (client === opened) onState(opened, state);
  });
  connection.value = opened.state;
  for (const one of followed) one.stop = one.begin(opened);
}

function onState({ hello: greeting }: CorralClient, state: ConnectionState): void {
  if (state === 'open' && greeting) {
    hello.value = greeting;
    clockOffsetMs.value = Date.parse(greeting.serverTime) - Date.now();
  }
  connection.value = state;
  if (state === 'open') isRefused.value = false;
  else if (state === 'waiting') void findRefusal();
}

/** A browser does not tell why a WebSocket could not be opened; a plain request does. */
async function findRefusal(): Promise<void> {
  try {
    const asked = client;
    const { status } = await fetch(new URL('api/v1/status', document.baseURI), { headers: keyHeaders() });
    if (asked !== client || (status !== 401 && status !== 403)) return;
    isRefused.value = true;
    // Asking again with the same key would only look like guessing.
    asked?.close();
  } catch {
    // Nobody is there at all: it is tried again anyway.
  }
}

/** Follows a topic for as long as the page is open, or until the answer is called; across lost connections and new keys. */
export function follow<T extends Topic>(
  topic: T,
  params: NonNullable<TopicParams<T>>,
  onData: OnData<T>,
  onProblem?: OnProblem,
): () => void {
  const one: Followed = {
    begin: (on) => on.subscribe(topic, params, onData, onProblem),
    stop: () => {},
  };
  followed.add(one);
  if (client) one.stop = one.begin(client);
  return () => {
    followed.delete(one);
    one.stop();
  };
}

/** Has the server do something. Rejects with a `CorralError`: its message is for people. */
export const command: CorralClient['command'] = (name, params) => {
  if (!client) return Promise.reject(new Error('The page is not connected yet.'));
  return client.command(name, params);
};
