import fc from 'fast-check';
import { explainWait } from '../../machines/planning/explain.ts';
import { policyNames } from '../../machines/planning/view.ts';
import type { ModelSpec, Priority, Reservation } from '../../machines/vocabulary.ts';
import { aGpu, aModel, GIB, Pool } from './pool.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const QUIET_MS = 1_800_000;

type Step =
  | { kind: 'request'; model: number; runMs: number; keepAliveMs: number | null; priority: Priority }
  | { kind: 'cancel'; index: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'stop'; model: number; drainMs: number }
  | { kind: 'crash' }
  | { kind: 'loadFails'; model: number; code: 'load_failed' | 'load_out_of_memory'; times: number }
  | { kind: 'probe'; fault: 'none' | 'fails' | 'hangs' }
  | { kind: 'device'; index: number; fault: 'none' | 'unknown' | 'gone' | 'stale' }
  | { kind: 'others'; gib: number }
  | {
      kind: 'reload';
      model: number;
      becomes: 'another' | 'kept' | 'gone';
      gib: number;
      limitGib: number | null;
    };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      model: fc.nat(4),
      runMs: fc.nat(20_000),
      keepAliveMs: fc.option(fc.nat(60_000)),
      priority: fc.constantFrom('interactive', 'normal', 'batch'),
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
      kind: fc.constant('loadFails' as const),
      model: fc.nat(4),
      code: fc.constantFrom('load_failed', 'load_out_of_memory'),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('probe' as const),
      fault: fc.constantFrom('none', 'fails', 'hangs'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('device' as const),
      index: fc.nat(2),
      fault: fc.constantFrom('none', 'unknown', 'gone', 'stale'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('others' as const), gib: fc.nat(8) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reload' as const),
      model: fc.nat(4),
      becomes: fc.constantFrom('another', 'kept', 'gone'),
      gib: fc.integer({ min: 1, max: 40 }),
      limitGib: fc.option(fc.integer({ min: 4, max: 48 })),
    }),
  },
);

const five = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 5, maxLength: 5 });

/** A random pool, and what happens to it. */
export const script = fc.record({
  gpus: fc.array(fc.integer({ min: 12, max: 48 }), { minLength: 1, maxLength: 3 }),
  mainMemory: fc.option(fc.integer({ min: 8, max: 64 })),
  models: five(
    fc.record({
      // Tenths of a GiB are no whole number of bytes.
      gib: fc.integer({ min: 10, max: 400 }).map((tenths) => tenths / 10),
      slots: fc.integer({ min: 1, max: 3 }),
      replicas: fc.integer({ min: 1, max: 3 }),
      layers: fc.option(fc.integer({ min: 1, max: 80 }), { nil: undefined }),
      canShrink: fc.boolean(),
      loadMs: fc.integer({ min: 0, max: 20_000 }),
    }),
  ),
  recoveryMs: fc.nat(8_000),
  abandonedLoads: fc.constantFrom('keep' as const, 'abort' as const),
  gamma: fc.constantFrom(0, 0.4, 3),
  starvationMs: fc.constantFrom(60_000, Infinity),
  policy: fc.constantFrom(...policyNames),
  steps: fc.array(anyStep, { maxLength: 60 }),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

/** Plays one, holding the pool to its promises after every step; returns its decision log. Throws for a promise that is broken. */
export function play(one: Script): string {
  const { gpus, mainMemory, recoveryMs, policy, abandonedLoads, gamma, starvationMs, steps } = one;
  const pool = new Pool({
    devices: [
      ...gpus.map((gib, i) => aGpu(`CUDA${i}`, gib)),
      ...(mainMemory === null ? [] : [aGpu('CPU', mainMemory, { kind: 'cpu', library: 'CPU' })]),
    ],
    over: {
      // Rare, so that an hour of rest costs little; unloads read the devices anyway.
      probeIntervalMs: 60_000,
      plan: {
        policy,
        gamma,
        starvationMs,
        drainMs: 120_000,
        maxRunners: null,
        abandonedLoads,
        gpuOverheadBytes: 0,
      },
    },
  });
  for (const device of pool.world.devices.values())
    device.recoveryMs = device.reading.kind === 'cpu' ? 0 : recoveryMs;
  const models: (ModelSpec | undefined)[] = one.models.map(({ loadMs, ...shape }, i) => {
    const name = NAMES[i] ?? '';
    pool.world.modelOf(name).loadMs = loadMs;
    return modelOf(name, shape);
  });
  const requests: ReturnType<Pool['request']>[] = [];
  const cancelled = new Set<string>();
  for (const step of steps) {
    take(pool, step, models, requests, cancelled);
    hold(pool);
  }
  pool.world.probeFault = 'none';
  for (const device of pool.world.devices.values()) device.fault = 'none';
  for (let i = 0; i < 30; i++) {
    pool.advance(QUIET_MS / 30);
    hold(pool);
  }
  settled(pool, requests, cancelled);
  return JSON.stringify(pool.decisions);
}

function modelOf(name: string, shape: Omit<Script['models'][number], 'loadMs'>): ModelSpec {
  const { gib, slots, replicas, layers, canShrink } = shape;
  const model = aModel(name, gib, { replicas });
  const contexts = [
    { contextTokens: 4096, needBytes: model.needBytes },
    { contextTokens: 2048, needBytes: model.needBytes / 2 },
  ];
  return {
    ...model,
    launch: { ...model.launch, slots, ...(layers !== undefined && { layers }) },
    ...(canShrink && { contexts }),
  };
}

function take(
  pool: Pool,
  one: Step,
  models: (ModelSpec | undefined)[],
  requests: ReturnType<Pool['request']>[],
  cancelled: Set<string>,
): void {
  switch (one.kind) {
    case 'request': {
      const model = models[one.model];
      if (model)
        requests.push(
          pool.request(model, {
            runMs: one.runMs,
            keepAlive: one.keepAliveMs,
            priority: one.priority,
            waitLimitMs: 600_000,
          }),
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
    case 'loadFails': {
      const failure = { code: one.code, message: one.code };
      const { code: _, kind: __, model, times } = one;
      pool.world.modelOf(NAMES[model] ?? 'a').fault = { kind: 'fails-to-load', afterMs: 100, failure, times };
      break;
    }
    case 'probe':
      pool.world.probeFault = one.fault;
      break;
    case 'reload':
      reload(pool, one, models);
      break;
    case 'device': {
      const device = [...pool.world.devices.values()][one.index];
      if (device) device.fault = one.fault;
      break;
    }
    case 'others':
      for (const device of pool.world.devices.values()) device.othersBytes = one.gib * GIB;
      break;
  }
}

/** A model becomes another one, is kept otherwise, or is there no more; one that is gone comes back. */
function reload(
  pool: Pool,
  { model: index, becomes, gib, limitGib }: Extract<Step, { kind: 'reload' }>,
  models: (ModelSpec | undefined)[],
): void {
  const name = NAMES[index] ?? '';
  const before = models[index] ?? aModel(name, gib);
  const classKey = becomes === 'another' ? `${name}@${gib}` : before.classKey;
  const { contexts: _, ...rest } = before;
  const changed = { ...rest, classKey, needBytes: gib * GIB, keepAlive: gib * 1_000 };
  models[index] = becomes === 'gone' ? undefined : changed;
  const limit = limitGib === null ? {} : { CUDA0: limitGib * GIB };
  pool.scheduler.send({
    type: 'config.changed',
    change: {
      settings: { ...pool.scheduler.getSnapshot().context.settings, deviceLimits: limit },
      changed: becomes === 'gone' ? [] : [changed],
      removed: becomes === 'gone' ? [name] : [],
      // One that needs more may wait for ever for what other programs hold.
      preload: becomes === 'another' && gib <= 4 ? [changed] : [],
    },
  });
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
  for (const queue of ledger.queues.values())
    check(explainWait(queue, ledger, ledger.waits) !== '', `${queue.spec.name} waits for no reason`);
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
