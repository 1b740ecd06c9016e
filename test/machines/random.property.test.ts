import fc from 'fast-check';
import type { Reservation } from '../../machines/vocabulary.ts';
import { aGpu, aModel, GIB, Pool } from '../support/pool.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const QUIET_MS = 3_600_000;

type Step =
  | { kind: 'request'; model: number; runMs: number; keepAliveMs: number | null }
  | { kind: 'cancel'; index: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'stop'; model: number; drainMs: number }
  | { kind: 'crash' }
  | { kind: 'probe'; fault: 'none' | 'fails' | 'hangs' }
  | { kind: 'others'; gib: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      model: fc.nat(4),
      runMs: fc.nat(20_000),
      keepAliveMs: fc.option(fc.nat(60_000)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(15_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), index: fc.nat(60) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('stop' as const), model: fc.nat(4), drainMs: fc.nat(5_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('probe' as const),
      fault: fc.constantFrom('none', 'fails', 'hangs'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('others' as const), gib: fc.nat(8) }) },
);

const scenario = fc.record({
  gpus: fc.array(fc.integer({ min: 12, max: 48 }), { minLength: 1, maxLength: 3 }),
  sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 5, maxLength: 5 }),
  slots: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 5, maxLength: 5 }),
  loadMs: fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 5, maxLength: 5 }),
  recoveryMs: fc.nat(8_000),
  policy: fc.constantFrom('default' as const, 'ollama' as const),
  steps: fc.array(step, { maxLength: 60 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** Runs one, holding the pool to its promises after every step; returns its decision log. */
function run({ gpus, sizes, slots, loadMs, recoveryMs, policy, steps }: Scenario): string {
  const pool = new Pool({
    devices: gpus.map((gib, i) => aGpu(`CUDA${i}`, gib)),
    over: {
      plan: {
        policy,
        gamma: 0.5,
        starvationMs: 60_000,
        drainMs: 120_000,
        maxRunners: null,
        abandonedLoads: 'keep',
        gpuOverheadBytes: 0,
      },
    },
  });
  for (const device of pool.world.devices.values()) device.recoveryMs = recoveryMs;
  NAMES.forEach((name, i) => (pool.world.modelOf(name).loadMs = loadMs[i] ?? 0));
  const models = NAMES.map((name, i) => {
    const model = aModel(name, sizes[i] ?? 1);
    return { ...model, launch: { ...model.launch, slots: slots[i] ?? 1 } };
  });
  const requests: ReturnType<Pool['request']>[] = [];
  const cancelled = new Set<string>();
  for (const one of steps) {
    take(pool, one, models, requests, cancelled);
    hold(pool);
  }
  pool.world.probeFault = 'none';
  for (let i = 0; i < 60; i++) {
    pool.advance(QUIET_MS / 60);
    hold(pool);
  }
  settled(pool, requests, cancelled);
  return JSON.stringify(pool.decisions);
}

function take(
  pool: Pool,
  one: Step,
  models: readonly ReturnType<typeof aModel>[],
  requests: ReturnType<Pool['request']>[],
  cancelled: Set<string>,
): void {
  switch (one.kind) {
    case 'request': {
      const model = models[one.model];
      if (model)
        requests.push(
          pool.request(model, { runMs: one.runMs, keepAlive: one.keepAliveMs, waitLimitMs: 600_000 }),
        );
      break;
    }
    case 'cancel': {
      const request = requests[one.index];
      if (request) cancelled.add(request.id);
      request?.cancel();
      break;
    }
    case 'wait':
      pool.advance(one.ms);
      break;
    case 'stop':
      pool.scheduler.send({ type: 'model.unload', model: NAMES[one.model] ?? 'a', drainMs: one.drainMs });
      break;
    case 'crash': {
      const [process] = pool.world.processes.values();
      process?.exit('SIGSEGV', { code: 'runner_crashed', message: 'crashed' });
      break;
    }
    case 'probe':
      pool.world.probeFault = one.fault;
      break;
    case 'others':
      for (const device of pool.world.devices.values()) device.othersBytes = one.gib * GIB;
      break;
  }
}

/** What holds at every moment. */
function hold(pool: Pool): void {
  const { ledger } = pool;
  const sums: Record<string, number> = {};
  const add = (reservation: Reservation): void => {
    for (const [id, bytes] of Object.entries(reservation)) sums[id] = (sums[id] ?? 0) + bytes;
  };
  for (const runner of ledger.runners.values()) {
    add(runner.reservation);
    check(runner.leases.size <= runner.slots, `${runner.id} has more leases than slots`);
    if (runner.state === 'idle') check(runner.leases.size === 0, `${runner.id} is idle with leases`);
    if (runner.state === 'loading') check(runner.leases.size === 0, `${runner.id} has leases while loading`);
  }
  for (const [id, device] of ledger.devices) {
    check((sums[id] ?? 0) <= device.totalBytes + 1, `${id} is promised beyond its size`);
    check(Math.abs(device.reservedBytes - (sums[id] ?? 0)) < 1_024, `${id}'s sum of reservations is off`);
  }
  for (const runnerId of pool.world.processes.keys())
    check(ledger.runners.has(runnerId), `the process of ${runnerId} has no supervisor`);
  check(pool.scheduler.getSnapshot().status === 'active', 'the scheduler broke');
}

/** What holds once everything has come to rest. */
function settled(
  pool: Pool,
  requests: readonly ReturnType<Pool['request']>[],
  cancelled: ReadonlySet<string>,
): void {
  for (const { id, grantedAtMs, failure } of requests) {
    const answers = Number(grantedAtMs !== undefined) + Number(failure !== undefined);
    check(answers === 1 || (answers === 0 && cancelled.has(id)), `${id} got ${answers} answers`);
  }
  check(pool.ledger.waitingCount === 0, 'somebody still waits');
  check(pool.ledger.leases.size === 0, 'a lease was left');
  check(pool.ledger.runners.size === 0, `runners were left: ${pool.states().join()}`);
  check(pool.world.processes.size === 0, 'processes were left');
  check(pool.world.clock.pending <= 2, `${pool.world.clock.pending} timers are left`);
}

function check(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
}

describe('any script of requests, cancels, stops and faults', function () {
  this.timeout(120_000);

  it('keeps every promise', () => {
    fc.assert(
      fc.property(scenario, (one) => void run(one)),
      { numRuns: Number(process.env['CORRAL_RANDOM_RUNS'] ?? 300) },
    );
  });

  it('gives the same decisions each time', () => {
    fc.assert(
      fc.property(scenario, (one) => run(one) === run(one)),
      { numRuns: 30 },
    );
  });
});
