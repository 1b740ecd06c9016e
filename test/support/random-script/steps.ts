import { GIB, type Pool } from '../pool.ts';
import type { Answers } from './answers.ts';
import { deviceId, keepAliveOf, limitOf, type Models } from './models.ts';
import { NAMES, type Script, type Step, type StepOf } from './script.ts';

/** Who has a part in a script. */
export interface Cast {
  readonly pool: Pool;
  readonly script: Script;
  readonly models: Models;
  readonly answers: Answers;
}

/** Lets one step of a script happen. */
export function take(step: Step, cast: Cast): void {
  const { pool, script, models, answers } = cast;
  const { world, scheduler } = pool;
  if (step.kind !== 'request' && step.kind !== 'wait' && step.kind !== 'cancel') answers.disturb();
  switch (step.kind) {
    case 'request':
      return request(step, cast);
    case 'wait':
      return pool.advance(step.ms);
    case 'cancel':
      return answers.cancel(step.index);
    case 'load': {
      const spec = models.of(NAMES[step.model] ?? '');
      if (spec) scheduler.send({ type: 'model.load', spec });
      return;
    }
    case 'keep': {
      const { pinned, keepAliveMs } = step;
      const keepAlive = keepAliveOf(keepAliveMs);
      return scheduler.send({ type: 'model.keep', model: NAMES[step.model] ?? '', keepAlive, pinned });
    }
    case 'stop':
      return scheduler.send({
        type: 'model.unload',
        model: NAMES[step.model] ?? '',
        drainMs: step.drainMs,
      });
    case 'pause': {
      const id = nth(world.devices.keys(), step.index);
      if (id === undefined) return;
      const { refuse, drainMs } = step;
      return scheduler.send({ type: 'devices.pause', deviceIds: [id], refuse, drainMs });
    }
    case 'resume': {
      const id = nth(world.devices.keys(), step.index);
      return scheduler.send({ type: 'devices.resume', deviceIds: id === undefined ? [] : [id] });
    }
    case 'stopRunner': {
      const runner = nth(pool.ledger.runners.values(), step.index);
      if (runner) scheduler.send({ type: 'runner.stop', runnerId: runner.id, drainMs: step.drainMs });
      return;
    }
    case 'crash':
      return nth(world.processes.values(), step.index)?.exit('SIGSEGV', {
        code: 'runner_crashed',
        message: 'crashed',
      });
    case 'silence':
      return nth(world.processes.values(), step.index)?.stopAnswering?.('no answer');
    case 'loadFails': {
      const { code, afterMs, times } = step;
      const fault = { kind: 'fails-to-load', afterMs, failure: { code, message: code }, times } as const;
      world.modelOf(NAMES[step.model] ?? '').fault = fault;
      return;
    }
    case 'ignoresKill':
      world.modelOf(NAMES[step.model] ?? '').fault = { kind: 'ignores-kill', forMs: step.forMs };
      return;
    case 'probe':
      world.probeFault = step.fault;
      return;
    case 'device': {
      const device = nth(world.devices.values(), step.index);
      if (device) device.fault = step.fault;
      return;
    }
    case 'others': {
      const device = nth(world.devices.values(), step.index);
      if (device) device.othersBytes = step.gib * GIB;
      return;
    }
    case 'jump':
      return pool.clock.jump(step.ms);
    case 'reload':
      return reload(step, cast);
    case 'settings': {
      const { limitGib, maxRunners, keepAliveMode } = step;
      const { settings } = scheduler.getSnapshot().context;
      const plan = { ...settings.plan, maxRunners };
      const deviceLimits = limitGib === null ? {} : { [deviceId(0, script.gpus.length)]: limitGib * GIB };
      const change = {
        settings: { ...settings, plan, keepAliveMode, deviceLimits },
        changed: [],
        removed: [],
      };
      return scheduler.send({ type: 'config.changed', change: { ...change, preload: [] } });
    }
  }
}

const nth = <T>(all: Iterable<T>, index: number): T | undefined => [...all][index];

function request(step: StepOf<'request'>, { script, models, answers }: Cast): void {
  const spec = models.of(NAMES[step.model] ?? '', step.contextTokens);
  if (!spec) return;
  answers.ask(spec, {
    runMs: script.pace * step.runMs,
    keepAlive: typeof step.keepAliveMs === 'string' ? null : keepAliveOf(step.keepAliveMs),
    priority: step.priority,
    waitLimitMs: limitOf(step.waitLimitMs),
  });
}

function reload(step: StepOf<'reload'>, { pool, script, models }: Cast): void {
  const name = NAMES[step.model] ?? '';
  const before = models.of(name);
  const spec = models.reload(step);
  const share = script.models[step.model]?.reallyShare;
  if (step.becomes === 'another' && share != null)
    pool.world.modelOf(name).realBytes = share * step.gib * GIB;
  pool.scheduler.send({
    type: 'config.changed',
    change: {
      settings: pool.scheduler.getSnapshot().context.settings,
      changed: spec ? [spec] : [],
      ...(before && { classesBefore: new Map([[name, before.classKey]]) }),
      removed: spec ? [] : [name],
      preload: spec && (step.isPreloaded || spec.pinned) ? [spec] : [],
    },
  });
}
