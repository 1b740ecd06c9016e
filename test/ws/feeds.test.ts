import { expect } from 'chai';
import fc from 'fast-check';
import { until } from '../support/corral.ts';
import type { ServiceStatus } from '../../src/status.ts';
import { defaultWsLimits } from '../../src/ws/limits.ts';
import { startPoolServer, type PoolServer } from './support/pool-server.ts';
import { RawReader } from './support/raw-reader.ts';

const LISTS = ['runners', 'queue', 'devices'] as const;

const byId = <T extends { readonly id: string }>(rows: readonly T[]): T[] =>
  rows.toSorted((a, b) => a.id.localeCompare(b.id));

const without = <T extends object, K extends keyof T>(rows: readonly T[], ...keys: K[]): Omit<T, K>[] =>
  rows.map((row) => {
    const rest = { ...row };
    for (const key of keys) delete rest[key];
    return rest;
  });

/** The status with its durations left out: the feed has moments in their place. */
const timeless = ({ runners, queue, devices }: ServiceStatus) => ({
  runners: without(byId(runners), 'sinceMs', 'idleLeftMs'),
  queue: without(byId(queue), 'waitedMs', 'estimateMs'),
  devices: byId(devices),
});

const pictureOf = (reader: RawReader) => ({
  runners: without(byId(reader.picture('runners') ?? []), 'since', 'idleUntil'),
  queue: without(byId(reader.picture('queue') ?? []), 'since', 'expectedAt'),
  devices: byId(reader.picture('devices') ?? []),
});

describe('what readers are told', () => {
  let served: PoolServer;
  beforeEach(async () => (served = await startPoolServer({ limits: { maxMessagesPerSecond: Infinity } })));
  afterEach(() => served.close());

  const follow = async (...topics: readonly string[]): Promise<RawReader> => {
    const reader = await RawReader.open(served.url);
    for (const topic of topics) await reader.ask({ type: 'subscribe', id: topic, topic });
    return reader;
  };
  const tick = async (reader: RawReader): Promise<void> => {
    served.pool.advance(50);
    await reader.settle();
  };

  it('is a snapshot, then changes, in rising order', async () => {
    const reader = await follow('runners');
    const [a] = served.specs;
    if (a) served.pool.request(a, { runMs: 1_000 });
    for (let i = 0; i < 200; i++) await tick(reader);
    const told = reader.messages.filter(({ type }) => type === 'snapshot' || type === 'change');
    const seqs = told.map((message) => ('seq' in message ? message.seq : 0));

    expect(told[0]).to.include({ type: 'snapshot', topic: 'runners' });
    expect(told.slice(1).every(({ type }) => type === 'change')).to.equal(true);
    expect(told.length).to.be.above(2);
    expect(seqs).to.deep.equal([...new Set(seqs)].toSorted((x, y) => x - y));
  });

  it('is nothing while nothing changes: clocks that run on are no change', async () => {
    const [a, b, c] = served.specs;
    for (const spec of [a, b, c]) if (spec) served.pool.request(spec);
    served.pool.advance(10_000);
    const reader = await follow('runners', 'queue');
    const before = reader.messages.length;
    for (let i = 0; i < 20; i++) served.pool.advance(50);
    await reader.settle();

    expect(reader.of('change')).to.have.length(0);
    expect(reader.messages.length).to.equal(before + 1);
  });

  it('is told together when it happens within a tick', async () => {
    const reader = await follow('runners', 'queue');
    const [a] = served.specs;
    if (a) for (let i = 0; i < 10; i++) served.pool.request(a);
    await tick(reader);

    expect(reader.of('change').filter(({ topic }) => topic === 'queue')).to.have.length(1);
    expect(reader.picture('queue')).to.have.length(10);
  });

  it('adds up to the status, whatever happens', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('request' as const), model: fc.nat(2), runMs: fc.nat(5_000) }),
      fc.record({ do: fc.constant('unload' as const), model: fc.nat(2) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(20_000) }),
    );
    await served.close();
    served = await startPoolServer({
      limits: { tickMs: 0, tickPerReaderMs: 0, maxMessagesPerSecond: Infinity },
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const reader = await follow(...LISTS);
        for (const step of steps) {
          const spec = 'model' in step ? served.specs[step.model] : undefined;
          if (step.do === 'wait') served.pool.advance(step.ms);
          else if (step.do === 'request' && spec) served.pool.request(spec, { runMs: step.runMs });
          else if (spec)
            served.pool.scheduler.send({ type: 'model.unload', model: spec.name, drainMs: 1_000 });
          served.pool.advance(0);
          await reader.settle();
          expect(pictureOf(reader)).to.deep.equal(timeless(served.status()));
        }
        reader.socket.terminate();
      }),
      { numRuns: 60 },
    );
  }).timeout(30_000);

  it('has moments that agree with the durations of the status', async () => {
    const reader = await follow('runners');
    const [a] = served.specs;
    if (a) served.pool.request(a, { runMs: 100 });
    for (let i = 0; i < 130; i++) served.pool.advance(50);
    await reader.settle();
    const [row] = reader.picture('runners') ?? [];
    const [runner] = served.status().runners;
    const spentMs = Date.parse(row?.idleUntil ?? '') - Date.parse(row?.since ?? '');

    expect(row?.state).to.equal('idle');
    expect(spentMs).to.equal((runner?.idleLeftMs ?? 0) + (runner?.sinceMs ?? 0));
  });

  it('has the decisions, those before included', async () => {
    const [a, b] = served.specs;
    if (a) served.pool.request(a, { runMs: 1 });
    served.pool.advance(10_000);
    const reader = await follow('decisions');
    if (b) served.pool.request(b, { runMs: 1 });
    for (let i = 0; i < 200; i++) served.pool.advance(50);
    await reader.settle();
    const told = reader.picture('decisions')?.entries.map(({ seq, reason }) => [seq, reason]);

    expect(told).to.deep.equal(served.pool.decisions.map(({ seq, reason }) => [seq, reason]));
  });

  it('has the events between actors, without the content of requests, keys and arguments', async () => {
    const reader = await follow('events');
    const [a] = served.specs;
    const secret = { ...a?.launch, extraArgs: ['--api-key', 'SECRET'], modelPath: '/private/SECRET.gguf' };
    if (a) served.pool.request({ ...a, launch: secret as typeof a.launch }, { runMs: 1 });
    for (let i = 0; i < 200; i++) served.pool.advance(50);
    await reader.settle();
    const events = reader.picture('events')?.entries ?? [];

    expect(events.map(({ from, to, type }) => `${from} → ${to}: ${type}`)).to.include.members([
      'null → scheduler: request.submitted',
      'runner-1.process → runner-1: process.started',
      'runner-1 → scheduler: runner.loaded',
      'runner-1.door → runner-1: door.entered',
    ]);
    expect(events.find(({ type }) => type === 'request.submitted')?.data).to.include({ model: 'a' });
    expect(JSON.stringify(events)).not.to.match(/SECRET|apiKey|baseUrl/);
  });

  it('has the actors, those that have ended included', async () => {
    const reader = await follow('actors');
    const [a] = served.specs;
    const runner = () => reader.picture('actors')?.find(({ id }) => id === 'runner-1');
    if (a) served.pool.request(a);
    for (let i = 0; i < 200; i++) await tick(reader);
    expect(runner()).to.deep.include({ chart: 'runner', state: 'alive.loaded.ready', isOver: false });
    served.pool.scheduler.send({ type: 'model.unload', model: 'a', drainMs: 0 });
    for (let i = 0; i < 200; i++) await tick(reader);

    expect(runner()).to.deep.include({ chart: 'runner', state: 'failed', isOver: true });
    expect(runner()?.context).to.include({ model: 'a', failure: 'stopped' });
    expect(served.pool.states()).to.deep.equal([]);
  });

  it('has the models, loaded or not', async () => {
    const reader = await follow('models');
    const [a] = served.specs;
    if (a) served.pool.request(a, { runMs: 1_000 });
    await tick(reader);
    const models = reader.picture('models') ?? [];

    expect(models.map(({ id, state }) => [id, state])).to.have.deep.members([
      ['a', 'loading'],
      ['b', 'unloaded'],
      ['c', 'unloaded'],
    ]);
  });

  it('has the statecharts', async () => {
    const reader = await follow('charts');
    await reader.settle();

    expect(reader.picture('charts')?.map(({ id }) => id)).to.have.members([
      'runner',
      'model',
      'scheduler',
      'device',
      'devices',
    ]);
  });

  it('has the log of a runner, and of all runners of a model as they come', async () => {
    const { pool, logs } = served;
    const [a] = served.specs;
    const reader = await RawReader.open(served.url);
    await reader.ask({ type: 'subscribe', id: 'm', topic: 'log', params: { model: 'a-alias' } });
    for (const runnerId of ['runner-1', 'runner-2']) {
      if (a) pool.request(a, { runMs: 1 });
      logs.append(runnerId, `hello from ${runnerId}\n`);
      for (let i = 0; i < 200; i++) pool.advance(50);
      pool.scheduler.send({ type: 'model.unload', model: 'a', drainMs: 0 });
      for (let i = 0; i < 200; i++) pool.advance(50);
    }
    await reader.settle();
    const other = await RawReader.open(served.url);
    await other.ask({ type: 'subscribe', id: 'r', topic: 'log', params: { runnerId: 'runner-1' } });
    await other.settle();

    const told = (of: RawReader) => of.picture('log')?.entries ?? [];

    expect(told(reader).map(({ runnerId, text }) => [runnerId, text])).to.deep.equal([
      ['runner-1', 'hello from runner-1'],
      ['runner-2', 'hello from runner-2'],
    ]);
    expect(told(other)).to.deep.equal(told(reader).slice(0, 1));
    expect(told(reader).every(({ at }) => Math.abs(Date.parse(at) - Date.now()) < 60_000)).to.equal(true);
  });

  it('has what a runner writes to its terminal, as it is', async () => {
    served.logs.append('runner-7', '\u001b[1mbold');
    const reader = await RawReader.open(served.url);
    await reader
      .ask({ type: 'subscribe', id: 't', topic: 'terminal', params: { runnerId: 'runner-7' } })
      .catch(() => {});
    served.logs.append('runner-7', '\u001b[0m\r\n10 %\r20 %');
    await tick(reader);

    expect(reader.picture('terminal')).to.equal(null);
    served.logs.append('runner-7', '\n');
    await reader.ask({ type: 'subscribe', id: 'u', topic: 'terminal', params: { runnerId: 'runner-7' } });
    served.logs.append('runner-7', 'more');
    await tick(reader);

    expect(reader.picture('terminal')?.entries.join('')).to.equal(
      '\u001b[1mbold\u001b[0m\r\n10 %\r20 %\nmore',
    );
  });

  it('leaves out the oldest of what is too much, and says how much that was', async () => {
    served.logs.append('runner-1', 'first\n');
    const reader = await RawReader.open(served.url);
    await reader.ask({ type: 'subscribe', id: 'r', topic: 'log', params: { runnerId: 'runner-1' } });
    for (let i = 0; i < 2_000; i++) served.logs.append('runner-1', `line ${i}\n`);
    await tick(reader);
    const [change] = reader.of('change');
    const data = change?.data as unknown as { entries: { text: string }[]; leftOut: number };

    expect(data.entries.length + data.leftOut).to.equal(2_000);
    expect(data.entries.length).to.be.below(1_000);
    expect(data.entries.at(-1)?.text).to.equal('line 1999');
  });

  it('forgets topics that nobody follows', async () => {
    const reader = await follow('events', ...LISTS);
    await reader.ask({ type: 'unsubscribe', id: 'events' });
    reader.socket.terminate();
    await until('its end is noticed', () => served.api.counts.connections === 0);
    expect(served.api.counts.feeds).to.equal(4);
    served.pool.advance(2 * defaultWsLimits.heartbeatMs);

    expect(served.api.counts.feeds).to.equal(0);
  });

  it('keeps few topics that nobody follows', async () => {
    const reader = await RawReader.open(served.url);
    for (let i = 0; i < 200; i++) {
      served.logs.append(`runner-${i}`, 'line\n');
      await reader.ask({ type: 'subscribe', id: 'x', topic: 'log', params: { runnerId: `runner-${i}` } });
      await reader.ask({ type: 'unsubscribe', id: 'x' });
    }

    expect(served.api.counts.feeds).to.be.below(65);
  });
});
