import { createScheduler } from '../src/compose.ts';
import type { Scheduler } from '../src/ledger-of.ts';
import { settingsOf } from '../src/simulation/scenario/stage.ts';
import { simulatedEffects } from '../src/simulation/effects.ts';
import { scenarioOf } from '../src/simulation/simulate.ts';
import { specOf } from '../src/simulation/trace.ts';
import { World } from '../src/simulation/world.ts';

export interface LoadedPool {
  readonly scheduler: Scheduler;
  readonly now: () => number;
  /** A request for one of the loaded models, which is granted at once; the answer ends it. */
  readonly request: () => () => void;
}

const ABOUT = { loadMs: 1_000, slots: 4, prefillTokensPerSecond: 1, decodeTokensPerSecond: 1 };

/** A scheduler in a modelled world with so many runners loaded, and so many requests that wait for ever. */
export function loadedPool({
  queued,
  runners,
  tellWithinMs = 0,
}: {
  queued: number;
  runners: number;
  tellWithinMs?: number;
}): LoadedPool {
  const world = new World();
  const reading = {
    id: 'CUDA0',
    name: 'GPU',
    library: 'CUDA',
    kind: 'discrete' as const,
    totalBytes: runners + 2,
  };
  world.devices.set('CUDA0', { reading, othersBytes: 0, recoveryMs: 0, fault: 'none' });
  const settings = settingsOf(scenarioOf({ models: {}, timeline: [] }), 'default');
  const { scheduler, doors } = createScheduler(simulatedEffects(world), {
    clock: world.clock,
    tellWithinMs,
    input: {
      settings: { ...settings, maxQueue: Infinity, probeIntervalMs: Infinity },
      now: world.clock.now,
      preload: [],
    },
  });
  let seq = 0;
  const submit = (model: string, sizeBytes: number): string => {
    const leaseId = String(seq++);
    const spec = specOf({ ...ABOUT, name: model, sizeBytes }, 'forever');
    doors.request({
      leaseId,
      spec,
      priority: 'normal',
      keepAlive: null,
      waitLimitMs: Infinity,
      isRetry: false,
    });
    return leaseId;
  };
  scheduler.start();
  world.clock.advance(100);
  // Every runner holds a lease, so that nothing can be evicted and who is queued stays queued.
  for (let i = 0; i < runners; i++) submit(`loaded-${i}`, 1);
  world.clock.advance(10_000);
  for (let i = 0; i < queued; i++) submit(`queued-${i % 20}`, 3);
  return {
    scheduler,
    now: world.clock.now,
    request: () => {
      const leaseId = submit(`loaded-${seq % Math.min(10, runners)}`, 1);
      return () => doors.release(leaseId);
    },
  };
}
