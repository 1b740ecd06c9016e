import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createActor, type Actor } from 'xstate';
import { createWatchHealth } from '../../../actors/process/watch-health.ts';
import type { Effects } from '../../../machines/effects.ts';
import { until } from '../../support/corral.ts';

const SLEEP_AFTER_MS = 150;

describe('a llama-server that sleeps when nobody wants anything', () => {
  let server: Server;
  let watching: Actor<Effects['watchHealth']> | undefined;
  /** What it was asked, and whether it slept then. */
  const asked: { readonly path: string; readonly slept: boolean }[] = [];
  let workedAtMs = performance.now();
  const sleeps = (): boolean => performance.now() - workedAtMs >= SLEEP_AFTER_MS;
  const count = (path: string): number => asked.filter((one) => one.path === path).length;

  before(async () => {
    // As llama.cpp v0.4 does it: health and properties are no work, to tell of the slots is, and wakes it.
    server = createServer(({ url = '' }, response) => {
      const slept = sleeps();
      asked.push({ path: url, slept });
      if (url === '/slots') workedAtMs = performance.now();
      const slots = [{ id: 0, is_processing: false }];
      response.end(JSON.stringify(url === '/slots' ? slots : { is_sleeping: slept }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    watching?.stop();
    server.close();
    server.closeAllConnections();
  });

  it('is let sleep by the watch over its health, and not woken', async () => {
    const { port } = server.address() as AddressInfo;
    workedAtMs = performance.now();
    watching = createActor(
      createWatchHealth({ everyMs: 20, answerWithinMs: 5_000, failures: 3, stuckMs: 60_000 }),
      {
        input: {
          runnerId: 'r',
          modelName: 'm',
          endpoint: { baseUrl: `http://127.0.0.1:${port}`, apiKey: 'k' },
          sleepAfterMs: SLEEP_AFTER_MS,
        },
      },
    ).start();

    await until('it sleeps', () => sleeps());
    const looks = count('/slots');
    const checks = count('/health');
    await until('it was checked ten times more', () => count('/health') >= checks + 10);

    expect(looks, 'its slots are looked at while it is awake').to.be.at.least(1);
    expect(count('/slots'), 'and not while it sleeps').to.equal(looks);
    expect(asked.filter(({ path, slept }) => path === '/slots' && slept)).to.deep.equal([]);
    expect(sleeps()).to.equal(true);
  });
});
