import type { SchedulerSettings } from '../../../machines/scheduler/contract.ts';
import { aGpu, GIB, Pool, settings } from '../pool.ts';
import type { Unsteadiness } from '../unsteady-clock.ts';
import { Answers } from './answers.ts';
import { Breaches } from './breaches.ts';
import { deviceId, limitOf, Models } from './models.ts';
import { Promises } from './promises.ts';
import { NAMES, type Script } from './script.ts';
import { take } from './steps.ts';

/** After the last step, so long until all has come to rest: an hour. */
const REST_MS = 3_600_000;
const LOOKS = 30;

const unsteadiness: Record<Script['timers'], Unsteadiness> = {
  steady: {},
  'fractions dropped': { delayOf: Math.floor },
  '5 % early': { delayOf: (delayMs) => delayMs * 0.95 },
  '40 ms late': { delayOf: (delayMs) => delayMs + 40 },
};

/**
 * Plays one, holding the pool to its promises after every step; returns its decision log. Throws for a promise that is broken. `tell` hears
 * each step and each decision, as a line for people.
 */
export function play(script: Script, tell: (line: string) => void = () => {}): string {
  const models = new Models(script);
  const pool = poolOf(script, models);
  const breaches = new Breaches();
  const answers = new Answers(pool, script, breaches);
  const promises = new Promises(pool, script, breaches);
  pool.scheduler.on('model.learned', ({ classKey, needBytes }) => {
    if (needBytes !== null) models.learn(classKey, needBytes);
  });
  pool.scheduler.on('decision', ({ record }) =>
    tell(`${record.atMs} ms ${record.kind} ${record.model} ${record.reason}`),
  );
  for (const step of script.steps) {
    tell(`${pool.world.clock.now()} ms ${JSON.stringify(step)}`);
    take(step, { pool, script, models, answers });
    promises.hold();
  }
  pool.world.probeFault = 'none';
  for (const device of pool.world.devices.values()) {
    device.fault = 'none';
    device.othersBytes = 0;
  }
  pool.scheduler.send({ type: 'devices.resume', deviceIds: [...pool.world.devices.keys()] });
  answers.disturb();
  for (let i = 0; i < LOOKS; i++) {
    pool.advance(REST_MS / LOOKS);
    promises.hold();
  }
  promises.rested(models);
  pool.scheduler.send({ type: 'scheduler.drain', drainMs: 0 });
  pool.advance(REST_MS / LOOKS);
  answers.complete();
  promises.ended();
  return JSON.stringify(pool.decisions);
}

function poolOf(script: Script, models: Models): Pool {
  const { gpus, mainMemoryGib, recoveryMs, timers } = script;
  const pool = new Pool({
    devices: [
      ...gpus.map(({ gib, library, isIntegrated, sharesMainMemory }, i) =>
        sharesMainMemory && mainMemoryGib !== null
          ? aGpu(deviceId(i, gpus.length), Math.min(gib, mainMemoryGib), {
              library,
              kind: 'integrated',
              sharesMainMemory,
            })
          : aGpu(deviceId(i, gpus.length), gib, { library, kind: isIntegrated ? 'integrated' : 'discrete' }),
      ),
      ...(mainMemoryGib === null ? [] : [aGpu('CPU', mainMemoryGib, { kind: 'cpu', library: 'CPU' })]),
    ],
    over: settingsOf(script),
    preload: models.all.filter(({ pinned }) => pinned),
    unsteadiness: unsteadiness[timers],
    tellWithinMs: script.tellWithinMs,
  });
  for (const device of pool.world.devices.values())
    device.recoveryMs = device.reading.kind === 'discrete' ? recoveryMs : 0;
  for (const [i, { loadMs, gib, reallyShare, conversations }] of script.models.entries()) {
    const model = pool.world.modelOf(NAMES[i] ?? '');
    model.loadMs = script.pace * loadMs;
    model.realBytes = reallyShare && reallyShare * gib * GIB;
    if (conversations) Object.assign(model, { saveMs: conversations.save, restoreMs: conversations.restore });
  }
  return pool;
}

function settingsOf(script: Script): Partial<SchedulerSettings> {
  const { policy, gamma, starvationMs, maxRunners, abandonedLoads, eviction, overheadGib, keepAliveMode } =
    script;
  return {
    keepAliveMode,
    probeIntervalMs: script.probeSeconds * 1000,
    plan: {
      ...settings().plan,
      policy,
      gamma,
      starvationMs: limitOf(starvationMs),
      drainMs: 120_000,
      maxRunners,
      abandonedLoads,
      eviction: policy === 'default' ? eviction : 'automatic',
      gpuOverheadBytes: overheadGib * GIB,
    },
  };
}
