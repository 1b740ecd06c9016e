import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import type { LeaseDesk } from '../../../src/lease.ts';
import { defaultHttpLimits, type HttpLimits } from '../../../src/http/limits.ts';
import type { ModelListing } from '../../../src/http/model-list.ts';
import { createHttpServer, type HttpServerOptions } from '../../../src/http/server.ts';

/** A server that listens on a free port of this machine. */
export interface Started {
  readonly server: Server;
  readonly port: number;
  readonly baseUrl: string;
}

/** Corral's HTTP side, with the lines that it logs. */
export interface StartedCorral extends Started {
  readonly lines: Record<string, unknown>[];
}

export const aModel = (overrides: Partial<ModelListing> = {}): ModelListing => ({
  name: 'tiny',
  aliases: ['small'],
  state: 'unloaded',
  contextTokens: 2048,
  needBytes: 1_000_000,
  devices: {},
  ...overrides,
});

/** Servers of one test file, stopped together. */
export class Servers {
  readonly #servers: Server[] = [];

  /** A stand-in for a runner: a real HTTP server that does what the test says. */
  upstream(listener: RequestListener): Promise<Started> {
    return this.#start(createServer(listener));
  }

  async corral(
    desk: LeaseDesk,
    options: Partial<Omit<HttpServerOptions, 'limits'>> & { limits?: Partial<HttpLimits> } = {},
  ): Promise<StartedCorral> {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const server = createHttpServer({
      desk,
      models: () => [aModel()],
      log,
      version: '1.2.3',
      ...options,
      limits: { ...defaultHttpLimits, ...options.limits },
    });
    return { ...(await this.#start(server)), lines };
  }

  stopAll(): void {
    for (const server of this.#servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  }

  async #start(server: Server): Promise<Started> {
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = portOf(server);
    return { server, port, baseUrl: `http://127.0.0.1:${port}` };
  }
}

const portOf = (server: Server): AddressInfo => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address;
};
