import type { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import { createServer, type AddressInfo, type Server as NetServer } from 'node:net';
import { urlOf } from '../url-of.ts';

/** How long replies that are read slowly may go on once nobody has a lease any more. */
const CLOSE_AFTER_MS = 1_000;

/** Where a server listens. */
export interface Addresses {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** A second port on the same host, for clients that look for Ollama; null for none. */
  readonly ollamaPort: number | null;
}

export interface Listening {
  /** `http://host:port`, or `https://…`, as it really is. */
  readonly url: string;
  readonly ollamaUrl: string | null;
  readonly ollamaPort: number | null;
  /** Takes no new connection; resolves when the last one has ended, which idle ones do at once. */
  close(): Promise<void>;
}

/** Lets a server listen at its addresses. Rejects with the system's error, which names the port, and listens nowhere then. */
export async function listenOn(server: Server, { host, port, ollamaPort }: Addresses): Promise<Listening> {
  const protocol = server instanceof SecureServer ? 'https' : 'http';
  const url = urlOf(protocol, host, await bind(server, host, port));
  if (ollamaPort === null)
    return { url, ollamaUrl: null, ollamaPort: null, close: () => closed(server, [server]) };
  // The same server answers: a connection is a connection, wherever it came in.
  const second = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    server.emit('connection', socket);
  });
  second.maxConnections = server.maxConnections;
  second.on('drop', () => server.emit('drop'));
  try {
    const boundPort = await bind(second, host, ollamaPort);
    const ollamaUrl = urlOf(protocol, host, boundPort);
    return { url, ollamaUrl, ollamaPort: boundPort, close: () => closed(server, [server, second]) };
  } catch (error) {
    await closed(server, [server]);
    throw error;
  }
}

/** The port that it got. */
function bind(server: NetServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function closed(server: Server, listeners: readonly NetServer[]): Promise<void> {
  const all = Promise.all(listeners.map((one) => new Promise<void>((resolve) => one.close(() => resolve()))));
  server.closeIdleConnections();
  // Nobody has a lease any more: what is still open is a keep-alive connection, or a reply being read slowly.
  setTimeout(() => server.closeAllConnections(), CLOSE_AFTER_MS).unref();
  await all;
}
