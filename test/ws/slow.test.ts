import { expect } from 'chai';
import { until } from '../support/corral.ts';
import { startPoolServer, type PoolServer } from './support/pool-server.ts';
import { RawReader } from './support/raw-reader.ts';

const KIB = 1024;
const limits = { maxBufferedBytes: 256 * KIB, maxMessagesPerSecond: Infinity, stallMs: 60_000 };
/** The largest message that one topic sends: a stream's snapshot, with its JSON around it. */
const LARGEST_MESSAGE = 512 * KIB;

describe('a reader who does not keep up', () => {
  let served: PoolServer;
  let reader: RawReader;
  beforeEach(async () => {
    served = await startPoolServer({ limits });
    served.logs.append('runner-1', 'first\n');
    reader = await RawReader.open(served.url);
    await reader.ask({ type: 'subscribe', id: 'log', topic: 'log', params: { runnerId: 'runner-1' } });
    await reader.ask({ type: 'subscribe', id: 'runners', topic: 'runners' });
  });
  afterEach(() => served.close());

  const waiting = (): number => served.sockets[0]?.writableLength ?? 0;
  let line = 0;
  /** Prints a lot, tick by tick. Returns the most that has waited for the reader. */
  const flood = async (ticks: number): Promise<number> => {
    let most = 0;
    for (let tick = 0; tick < ticks; tick++) {
      for (let i = 0; i < 50; i++) served.logs.append('runner-1', `${line++} ${'x'.repeat(4_000)}\n`);
      served.pool.advance(50);
      await new Promise(setImmediate);
      most = Math.max(most, waiting());
    }
    return most;
  };

  it('has a bounded amount waiting for it, and gets one snapshot of each topic once it reads again', async () => {
    reader.socket.pause();
    const most = await flood(100);
    const [a] = served.specs;
    if (a) served.pool.request(a);
    for (let i = 0; i < 200; i++) served.pool.advance(50);
    expect(most).to.be.above(limits.maxBufferedBytes);
    expect(waiting()).to.be.below(limits.maxBufferedBytes + LARGEST_MESSAGE);

    reader.socket.resume();
    await reader.until(() => reader.of('snapshot').filter(({ reset }) => reset).length === 2);
    await reader.settle();
    const resets = reader.of('snapshot').filter(({ reset }) => reset);

    expect(resets.map(({ topic }) => topic)).to.have.members(['log', 'runners']);
    expect(reader.picture('runners')?.map(({ model, state }) => `${model} ${state}`)).to.deep.equal([
      'a ready',
    ]);
    expect(reader.picture('log')?.entries.at(-1)?.text).to.match(new RegExp(`^${line - 1} `));
  });

  it('goes on with changes after that', async () => {
    reader.socket.pause();
    await flood(100);
    reader.socket.resume();
    await reader.until(() => reader.of('snapshot').some(({ reset }) => reset));
    await reader.settle();
    const before = reader.of('change').length;
    served.logs.append('runner-1', 'last\n');
    served.pool.advance(50);
    await reader.settle();

    expect(reader.of('change').length).to.equal(before + 1);
    expect(reader.picture('log')?.entries.at(-1)?.text).to.equal('last');
  });

  it('is closed with 1013 when that lasts', async () => {
    reader.socket.pause();
    await flood(100);
    let stalledMs = 0;
    for (; served.api.counts.connections > 0; stalledMs += 500) served.pool.advance(500);
    reader.socket.resume();

    expect(stalledMs).to.be.within(limits.stallMs - 5_000, limits.stallMs);
    expect(await reader.end()).to.deep.equal({ code: 1013, reason: 'too slow' });
  });

  it('is cut off when it does not even take that', async () => {
    reader.socket.pause();
    await flood(100);
    served.pool.advance(limits.stallMs + 1_000);

    expect(served.sockets[0]?.destroyed).to.equal(true);
  });

  it('is not heard while it asks for much and reads nothing', async () => {
    const charts = { type: 'subscribe', topic: 'charts', id: 'c' };
    reader.socket.pause();
    for (let i = 0; i < 500; i++) {
      reader.say(charts);
      reader.say({ type: 'unsubscribe', id: 'c' });
    }
    await until('too much waits', () => waiting() > limits.maxBufferedBytes);
    for (let i = 0; i < 100; i++) await new Promise(setImmediate);

    expect(waiting()).to.be.below(limits.maxBufferedBytes + 64 * KIB * 20);
    reader.socket.resume();
    await reader.until(() => reader.of('reply').length === 1_002);
  });
});
