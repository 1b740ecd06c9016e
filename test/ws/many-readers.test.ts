import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { until } from '../support/corral.ts';
import { startPoolServer, type PoolServer } from './support/pool-server.ts';
import { RawReader } from './support/raw-reader.ts';

const KIB = 1024;
const READERS = 500;
const STALLED = 50;
const limits = { maxBufferedBytes: 128 * KIB, restMs: 0 };
const LARGEST_MESSAGE = 512 * KIB;

describe(`${READERS} readers, ${STALLED} of which do not read`, () => {
  let served: PoolServer;
  before(async () => (served = await startPoolServer({ limits })));
  after(() => served.close());

  it('all others see everything, and memory stays bounded', async function () {
    this.timeout(60_000);
    const { pool, logs, api, specs } = served;
    logs.append('runner-1', 'first\n');
    const readers: RawReader[] = [];
    for (let i = 0; i < READERS; i++) {
      const reader = await RawReader.open(served.url);
      await reader.ask({ type: 'subscribe', id: 'd', topic: 'devices' });
      await reader.ask({ type: 'subscribe', id: 'r', topic: 'runners' });
      readers.push(reader);
    }
    const stalled = readers.slice(0, STALLED);
    for (const reader of stalled) {
      await reader.ask({ type: 'subscribe', id: 'l', topic: 'log', params: { runnerId: 'runner-1' } });
      reader.socket.pause();
    }
    const reading = readers.slice(STALLED);
    const statusReads = served.statusReads();
    const heldBefore = held();
    let most = 0;
    const [a, b] = specs;
    const ticks = 100;
    for (let tick = 0; tick < ticks; tick++) {
      const spec = tick % 2 === 0 ? a : b;
      if (spec) pool.request(spec, { runMs: 500 });
      for (let i = 0; i < 25; i++) logs.append('runner-1', `${tick} ${'x'.repeat(4_000)}\n`);
      pool.advance(50);
      // Its turn is the last: all others have been told by then.
      await reading.at(-1)?.settle();
      most = Math.max(most, ...served.sockets.map(({ writableLength }) => writableLength));
    }
    for (let i = 0; i < 600; i++) pool.advance(50);
    await Promise.all(reading.map((reader) => reader.settle()));

    const [one] = reading;
    const runners = one?.picture('runners');
    expect(runners?.length).to.be.above(0);
    for (const reader of reading) expect(reader.picture('runners')).to.deep.equal(runners);
    expect(one?.picture('devices')).to.deep.equal(served.status().devices);
    // Worked out once a tick, not once for each reader.
    expect(served.statusReads() - statusReads).to.be.at.most(ticks + 600);
    expect(most).to.be.above(limits.maxBufferedBytes);
    expect(most).to.be.below(limits.maxBufferedBytes + LARGEST_MESSAGE);
    expect(held() - heldBefore).to.be.below(
      STALLED * (limits.maxBufferedBytes + LARGEST_MESSAGE) + 64 * KIB ** 2,
    );

    for (const reader of readers) reader.socket.terminate();
    await until('all are gone', () => api.counts.connections === 0);
    pool.advance(60_000);
    expect(api.counts.feeds).to.equal(0);
  });
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that this process holds in objects and buffers, garbage aside: that of other tests may come and go meanwhile. */
function held(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
