import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { WebSocket, WebSocketServer } from 'ws';
import type { InspectLimits } from '../../src/inspect/inspect-limits.ts';
import { Inspection } from '../../src/inspect/inspection.ts';
import type { StatelyEvent } from '../../src/inspect/stately-events.ts';
import { until } from '../support/corral.ts';
import { aGpu, aModel, Pool } from '../support/pool.ts';

const MIB = 1024 ** 2;

describe('an inspector that is slow', () => {
  let pool: Pool;
  let inspection: Inspection;
  let server: WebSocketServer;
  let client: WebSocket;
  let heard: StatelyEvent[];
  let isClosed: number | null;

  async function start(limits: Partial<InspectLimits>): Promise<void> {
    pool = new Pool({ devices: [aGpu('CUDA0', 24)] });
    pool.advance(1_000);
    const { clock } = pool.world;
    inspection = new Inspection(pool.scheduler, { now: clock.now, clock, limits });
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket, request) => inspection.admit(socket, request.socket));
    await once(server, 'listening');
    heard = [];
    isClosed = null;
    client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as StatelyEvent));
    client.on('close', (code) => (isClosed = code));
    await until('it is told of the root', () => heard.length > 0);
  }
  afterEach(() => {
    client.terminate();
    for (const socket of server.clients) socket.terminate();
    server.close();
  });

  const buffered = (): number => Math.max(0, ...[...server.clients].map((socket) => socket.bufferedAmount));
  /** The runners that live, as far as it was told. */
  function known(): string[] {
    const names = new Map<string, string>();
    for (const event of heard) {
      if (event.type === '@xstate.actor') names.set(event.sessionId, event.name);
      if (event.type === '@xstate.snapshot' && event.snapshot.status !== 'active')
        names.delete(event.sessionId);
    }
    return [...names.values()].filter((name) => name.startsWith('runner-')).toSorted();
  }
  /** Far more than the system's own buffers take. */
  async function talkMuch(): Promise<void> {
    const spec = aModel('a', 8);
    for (let i = 0; i < 10_000; i++) {
      pool.request(spec).cancel();
      if (i % 1_000 === 0) await new Promise(setImmediate);
    }
  }

  it('costs a bounded amount of memory, and hears how all is once it has caught up', async () => {
    await start({ maxBufferedBytes: MIB, stallMs: Infinity });
    pool.request(aModel('short', 8, { keepAlive: 0 }), { runMs: 60_000 });
    await until('it knows of a runner', () => known().join() === 'runner-1');
    client.pause();
    await talkMuch();
    expect(buffered()).to.be.within(MIB, 1.5 * MIB);
    pool.advance(80_000);
    expect(pool.states()).to.deep.equal(['a idle']);

    client.resume();
    await until('it has caught up', () => known().join() === 'runner-2');
    pool.request(aModel('b', 4));
    await until('it knows who lives', () => known().join() === 'runner-2,runner-3');
    expect(isClosed).to.equal(null);
  }).timeout(60_000);

  it('is closed when it does not catch up', async () => {
    await start({ maxBufferedBytes: MIB, stallMs: 10_000 });
    client.pause();
    await talkMuch();
    pool.advance(20_000);

    await until('its end is not waited for', () => inspection.readerCount === 0);
    client.resume();
    await until('it is closed', () => isClosed !== null);
  }).timeout(60_000);

  it('is one of a bounded number', async () => {
    await start({ maxReaders: 1 });
    const second = new WebSocket(client.url);
    const [code] = (await once(second, 'close')) as [number];

    expect(code).to.equal(1013);
    expect(inspection.readerCount).to.equal(1);
  });
});
