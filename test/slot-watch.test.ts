import { expect } from 'chai';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hasEnded, SlotWatch } from '../src/slot-watch.ts';
import { until } from './support/corral.ts';

const idsOf = (text: string): Set<string> => new Set(text);
const tasksOf = (...tasks: readonly number[]): Set<number> => new Set(tasks);

describe('the work for a client that has left', () => {
  const scene = { tasks: tasksOf(1, 2), others: idsOf('a') };

  it('goes on while more of what was at work works than others are served', () => {
    expect(hasEnded(scene, tasksOf(1, 2), idsOf('ax'))).to.equal(false);
    expect(hasEnded(scene, tasksOf(1), idsOf('x'))).to.equal(false);
  });

  it('is over when as many work as others are served', () => {
    expect(hasEnded(scene, tasksOf(1), idsOf('ax'))).to.equal(true);
    expect(hasEnded(scene, tasksOf(), idsOf('x'))).to.equal(true);
  });

  it('is not mixed up with what began later', () => {
    expect(hasEnded(scene, tasksOf(1, 7, 8), idsOf('axyz'))).to.equal(true);
    expect(hasEnded(scene, tasksOf(1, 2, 7), idsOf('axyz'))).to.equal(false);
  });
});

describe('a watch over the slots of a runner', function () {
  this.timeout(60_000);
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  /** A runner that answers as it is told to, by path, and counts what it is asked. */
  const runnerOf = async (answers: Record<string, { status?: number; body: unknown }>) => {
    const asked: string[] = [];
    const server = createServer(({ url = '' }, response) => {
      asked.push(url);
      const { status = 200, body } = answers[url] ?? { status: 404, body: {} };
      response.statusCode = status;
      response.end(JSON.stringify(body));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { asked, answers, endpoint: { baseUrl: `http://127.0.0.1:${port}`, apiKey: 'k' } };
  };
  const watchOf = ({ endpoint }: Awaited<ReturnType<typeof runnerOf>>, leases = idsOf('x')) => {
    const told = { released: [] as string[], ended: 0, listeners: new Set<(line: string) => void>() };
    const watch = new SlotWatch({
      endpoint,
      leases: () => leases,
      onLine: (listener) => {
        told.listeners.add(listener);
        return () => told.listeners.delete(listener);
      },
      onOverstay: () => {},
      onEnd: () => (told.ended += 1),
    });
    const hold = (leaseId: string, hasReplied = true): void =>
      watch.hold({
        leaseId,
        hasReplied,
        release: () => {
          leases.delete(leaseId);
          told.released.push(leaseId);
        },
      });
    const say = (line: string): void => told.listeners.forEach((listener) => listener(line));
    return { watch, told, hold, say };
  };
  const slot = (id: number, works: boolean) => ({ id, id_task: id + 10, is_processing: works });

  it('does not wake a llama-server that sleeps', async () => {
    const runner = await runnerOf({ '/props': { body: { is_sleeping: true } } });
    const { told, hold } = watchOf(runner);

    hold('x');

    await until('the lease is released', () => told.released.length === 1);
    expect(runner.asked).to.deep.equal(['/props']);
    expect(told.ended).to.equal(1);
    expect(told.listeners.size).to.equal(0);
  });

  it('holds nothing back where slots are not told', async () => {
    const { told, hold } = watchOf(await runnerOf({ '/slots': { status: 501, body: { error: {} } } }));

    hold('x');

    await until('the lease is released', () => told.released.length === 1);
  });

  it('looks when the log tells of a slot that became free, of two leases releases one', async () => {
    const runner = await runnerOf({ '/slots': { body: [slot(0, true), slot(1, true)] } });
    const { told, hold, say } = watchOf(runner, idsOf('xy'));
    hold('x');
    hold('y');
    await until('a first look', () => runner.asked.includes('/slots'));

    runner.answers['/slots'] = { body: [slot(0, false), slot(1, true)] };
    say('slot      release: id  0 | task 10 | stop processing: n_tokens = 24, truncated = 0');

    await until('a lease is released', () => told.released.length > 0);
    expect(told.released).to.deep.equal(['x']);
    expect(told.ended).to.equal(0);
    runner.answers['/slots'] = { body: [] };
    await until('both are released', () => told.released.length === 2);
  });

  it('knows nothing of a runner that does not answer, and holds', async () => {
    const runner = await runnerOf({ '/slots': { status: 503, body: {} } });
    const { told, hold } = watchOf(runner);

    hold('x');
    await until('two looks', () => runner.asked.filter((url) => url === '/slots').length === 2);

    expect(told.released).to.deep.equal([]);
    runner.answers['/slots'] = { body: [] };
    await until('the lease is released', () => told.released.length === 1);
  });
});
