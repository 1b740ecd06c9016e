import { expect } from 'chai';
import { chat, isRunning, runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const MIB = 1024 ** 2;
const LIMIT_MIB = 450;
const SAYS: Readonly<Record<string, string>> = {
  a: ' model a says so',
  b: ' model b begs to differ',
  c: ' model c has the last word',
};
const REQUESTS = 60;
const CLIENTS = 8;

/** Every move that the runner chart allows, as others see it. */
const LEGAL: Readonly<Record<string, readonly string[]>> = {
  loading: ['idle', 'ready', 'expiring', 'unloading', 'vram-recovering'],
  idle: ['ready', 'expiring', 'unloading', 'vram-recovering'],
  ready: ['idle', 'expiring', 'unloading', 'vram-recovering'],
  expiring: ['unloading', 'vram-recovering'],
  unloading: ['vram-recovering'],
  'vram-recovering': ['gone', 'failed'],
};

describe('three models of 200 MB where two fit', () => {
  let models: TestModels;
  before(async function () {
    this.timeout(60_000);
    models = await writeModels(['a', 'b', 'c']);
  });
  after(() => models.remove());

  for (const runtime of runtimes)
    it(`answers ${REQUESTS} requests of ${CLIENTS} clients, on ${runtime}`, async function () {
      this.timeout(240_000);
      const memory = { memory: '210MiB' };
      const corral = await startCorral(runtime, {
        devices: { CPU: { memory: `${LIMIT_MIB}MiB` } },
        models: models.config(['a', 'b', 'c'], { a: memory, b: memory, c: memory }),
      });
      const pids = new Set<number>();
      corral.scheduler.on('runner.changed', () => {
        for (const { pid } of corral.status().runners) if (pid !== null) pids.add(pid);
      });

      const wrong = await ask(corral);
      await corral.close();

      expect(wrong).to.deep.equal([]);
      expect(corral.peakReserved()).to.be.at.most(LIMIT_MIB * MIB);
      expect(illegalMoves(corral)).to.deep.equal([]);
      await until('every process is gone', () => [...pids].every((pid) => !isRunning(pid)), 2_000);
      const traces = [...corral.traces].map(([id, states]) => `      ${id}: ${states.join(' → ')}`);
      console.log(traces.map((trace) => (trace.length > 160 ? `${trace.slice(0, 157)}…` : trace)).join('\n'));
    });
});

/** Mixed order, always the same; returns what went wrong. */
async function ask(corral: Corral): Promise<string[]> {
  const names = Object.keys(SAYS);
  const order = Array.from({ length: REQUESTS }, (_, i) => names[(i * 7 + Math.floor(i / 5)) % 3] ?? 'a');
  const wrong: string[] = [];
  const client = async (): Promise<void> => {
    for (let name = order.pop(); name !== undefined; name = order.pop()) {
      const { status, text } = await corral.post('/v1/chat/completions', chat(name));
      if (status !== 200 || !text.includes(SAYS[name] ?? '?'))
        wrong.push(`${name}: ${status} ${text.slice(0, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return wrong;
}

function illegalMoves(corral: Corral): string[] {
  return [...corral.traces.values()].flatMap((states) =>
    states.flatMap((state, i) => {
      const next = states[i + 1];
      return next === undefined || LEGAL[state]?.includes(next) ? [] : [`${state} → ${next}`];
    }),
  );
}
