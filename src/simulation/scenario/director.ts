import type { Doors } from '../../../actors/doors.ts';
import type { Scheduler } from '../../ledger-of.ts';
import type { World } from '../world.ts';
import { applyFault } from './faults.ts';
import { keepAliveOf, type ModelSpecs } from './model-specs.ts';
import { requestName } from './names.ts';
import type { Recorder } from './recorder.ts';
import { reload } from './reload.ts';
import type { Scenario } from './schema.ts';
import { reloaded } from './stage.ts';
import type { Reload, Step } from './step-schema.ts';

const DEFAULT_DRAIN_MS = 30_000;

interface Parts {
  readonly scenario: Scenario;
  readonly world: World;
  readonly specs: ModelSpecs;
  readonly recorder: Recorder;
  readonly scheduler: Scheduler;
  readonly doors: Doors;
}

/** Plays a scenario's timeline: clients that come, wait, give up, ask again, and what else happens to a service. */
export class Director {
  readonly #parts: Parts;
  /** With the settings that count now. */
  #scenario: Scenario;
  /** Steps and clients that are still to act. */
  #pending = 0;
  readonly #planned = new Map<string, () => void>();
  readonly #wedged = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#scenario = parts.scenario;
    parts.doors.on('granted', ({ leaseId }) => this.#planned.get(leaseId)?.());
  }

  /** Whether nobody is to do anything any more. */
  get isDone(): boolean {
    return this.#pending === 0;
  }

  /** Sets a timer for each step. Equal times keep the order of the file, and come before all that the run sets itself. */
  begin(): void {
    let requests = 0;
    for (const step of this.#parts.scenario.timeline) {
      const index = step.request === undefined ? 0 : requests++;
      this.#after(step.at, () => {
        if (step.late) this.#after(0, () => this.#act(step, index));
        else this.#act(step, index);
      });
    }
  }

  #after(ms: number, act: () => void): void {
    if (ms === Infinity) return;
    this.#pending++;
    this.#parts.world.clock.setTimeout(() => {
      this.#pending--;
      act();
    }, ms);
  }

  #act(step: Step, index: number): void {
    const { recorder, scheduler, specs, world } = this.#parts;
    const { request, cancel, end, load, stop, keep, change, shutdown, hurry, fault } = step;
    if (request !== undefined) return this.#ask(step, request, requestName(step, index));
    if (cancel !== undefined) return this.#leave(cancel, 'cancelled');
    if (end !== undefined) return this.#leave(end, 'served');
    const { at: _, ...said } = step;
    recorder.note('step', { step: said });
    const drainMs = step.drain ?? DEFAULT_DRAIN_MS;
    if (load !== undefined) {
      const spec = specs.specOf(load);
      if (spec) scheduler.send({ type: 'model.load', spec });
    }
    if (stop !== undefined) scheduler.send({ type: 'model.unload', model: specs.nameOf(stop), drainMs });
    if (step.pause !== undefined)
      scheduler.send({
        type: 'devices.pause',
        deviceIds: [step.pause],
        refuse: step.refuse ?? false,
        drainMs,
      });
    if (step.resume !== undefined) scheduler.send({ type: 'devices.resume', deviceIds: [step.resume] });
    if (keep !== undefined) {
      const model = specs.modelOf(keep);
      const keepAlive = keepAliveOf(step.keepAlive ?? model?.keepAlive ?? 0);
      const pinned = step.pin ?? model?.pin ?? false;
      scheduler.send({ type: 'model.keep', model: specs.nameOf(keep), keepAlive, pinned });
    }
    if (change !== undefined && step.to) {
      specs.change(change, step.to);
      const { loads, exits, really } = step.to;
      const behaviour = world.modelOf(specs.nameOf(change));
      behaviour.loadMs = loads ?? behaviour.loadMs;
      behaviour.exitMs = exits ?? behaviour.exitMs;
      behaviour.realBytes = really ?? behaviour.realBytes;
    }
    if (step.reload) this.#reload(step.reload);
    if (shutdown) scheduler.send({ type: 'scheduler.drain', drainMs });
    if (hurry) scheduler.send({ type: 'scheduler.hurry' });
    if (fault)
      applyFault(fault, world, this.#scenario.settings.answerLimit, (runnerId) => this.#wedged.add(runnerId));
  }

  #reload(wanted: Reload): void {
    const { scheduler } = this.#parts;
    this.#scenario = reloaded(this.#scenario, wanted);
    const { policy } = scheduler.getSnapshot().context.settings.plan;
    const change = reload(wanted, this.#scenario, policy, this.#parts);
    scheduler.send({ type: 'config.changed', change });
  }

  #ask(step: Step, model: string, name: string): void {
    const { times, every = 0, clients } = step;
    if (clients !== undefined)
      for (let i = 1; i <= clients; i++) this.#keepAsking(step, model, `${name}.${i}`, 1);
    else if (times === undefined) this.#try(step, model, name, 1);
    else
      for (let i = 1; i <= times; i++)
        this.#after((i - 1) * every, () => this.#try(step, model, `${name}.${i}`, 1));
  }

  /** A client that asks again as soon as it has been served. */
  #keepAsking(step: Step, model: string, name: string, count: number): void {
    const { world } = this.#parts;
    this.#submit(step, model, `${name}.${count}`, () => {
      if (world.clock.now() < (step.until ?? Infinity)) this.#keepAsking(step, model, name, count + 1);
    });
  }

  /** A client that may give up waiting, and try again. */
  #try(step: Step, model: string, name: string, count: number): void {
    const { recorder } = this.#parts;
    const id = count === 1 ? name : `${name}.${count}`;
    this.#submit(step, model, id);
    const { givesUpAfter, retries = 0 } = step;
    if (givesUpAfter === undefined) return;
    this.#after(givesUpAfter, () => {
      if (recorder.requests.get(id)?.outcome !== 'waiting') return;
      this.#leave(id, 'cancelled');
      if (count <= retries) this.#try(step, model, name, count + 1);
    });
  }

  #submit(step: Step, model: string, id: string, then: () => void = () => {}): void {
    const { specs, recorder, doors } = this.#parts;
    const spec = specs.specOf(model, step);
    if (!spec) return;
    const runMs = this.#runMsOf(step, model);
    if (runMs !== undefined)
      this.#planned.set(id, () =>
        this.#after(runMs, () => {
          if (this.#wedged.has(recorder.requests.get(id)?.runnerId ?? '')) return;
          this.#leave(id, 'served');
          then();
        }),
      );
    recorder.submitted(id, spec.name);
    const keepAlive = step.keepAlive === undefined ? null : keepAliveOf(step.keepAlive);
    const waitLimitMs = step.wait ?? this.#scenario.settings.wait;
    const priority = step.priority ?? spec.priority ?? 'normal';
    doors.request({ leaseId: id, spec, priority, keepAlive, waitLimitMs, isRetry: false });
  }

  #runMsOf(step: Step, model: string): number | undefined {
    if (step.tokens === undefined) return step.for;
    const perSecond = this.#parts.specs.modelOf(model)?.tokensPerSecond ?? 1;
    return (1000 * step.tokens) / perSecond;
  }

  #leave(id: string, outcome: 'served' | 'cancelled'): void {
    const { recorder, doors } = this.#parts;
    const request = recorder.requests.get(id);
    if (!request || request.endedAtMs !== null) return;
    recorder.ended(id, outcome);
    if (outcome === 'cancelled') doors.withdraw(id);
    else doors.release(id);
  }
}
