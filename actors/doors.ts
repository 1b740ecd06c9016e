import { fromCallback } from 'xstate';
import type { DoorCommand, DoorEvent, DoorSpec, Effects } from '../machines/effects.ts';
import type { Failure } from '../machines/failures.ts';
import { clampKeepAlive } from '../machines/planning/keep-alive.ts';
import { letsIn } from '../machines/planning/plan.ts';
import type { PolicyName } from '../machines/planning/view.ts';
import type { DoorUse, Request, SchedulerCommand, SchedulerEmitted } from '../machines/scheduler/contract.ts';
import type { Endpoint, KeepAlive, LeaseId, ModelSpec, RunnerId } from '../machines/vocabulary.ts';

interface Wait {
  /** From arrival to grant, and the part of it in which the model was being loaded; in ms. */
  readonly waitMs: number;
  readonly loadMs: number;
}

/** A request has its runner. */
export interface Granted extends Wait {
  readonly leaseId: LeaseId;
  readonly runnerId: RunnerId;
  readonly model: string;
  readonly endpoint: Endpoint;
}

/** What becomes of requests: each is granted or refused, or withdrawn before; one that was granted may lose its runner. */
interface Told {
  asked: Request;
  granted: Granted;
  refused: { readonly leaseId: LeaseId; readonly failure: Failure };
  lost: { readonly leaseId: LeaseId; readonly runnerId: RunnerId; readonly failure: Failure };
  /** It was served, or its client has left. */
  ended: { readonly leaseId: LeaseId; readonly isCancelled: boolean };
}

type Listeners = { readonly [Type in keyof Told]: ((fact: Told[Type]) => void)[] };

/** The way to one runner. */
interface Door {
  readonly runnerId: RunnerId;
  readonly spec: ModelSpec;
  readonly tell: (event: DoorEvent) => void;
  endpoint: Endpoint | null;
  slots: number;
  state: 'not yet open' | 'open' | 'closed';
  /** Who is inside, and since when. */
  readonly inside: Map<LeaseId, number>;
}

export interface DoorsOptions {
  /** The clock's time in ms, the same as the scheduler's. */
  readonly now: () => number;
  /** Calls back once after so many ms. */
  readonly later: (fire: () => void, delayMs: number) => void;
  /**
   * How long the scheduler may go without being told what happens at the doors, in ms, while nobody waits for anything; 0: it is
   * told of each request.
   */
  readonly tellWithinMs: number;
  /** By which it is decided whom a runner serves. */
  readonly policy: () => PolicyName;
  /** Tells the scheduler; what it answers reaches `letIn` and `refuse`. */
  readonly send: (command: SchedulerCommand) => void;
  /** Hears what a listener has thrown, which hurts nobody else. */
  readonly onBroken: (error: unknown) => void;
}

const NO_WAIT: Wait = { waitMs: 0, loadMs: 0 };

/**
 * Where requests meet runners. A request whose model is loaded, with a free slot and nobody waiting before it, enters at once, and no
 * statechart has to be asked. All others wait at the scheduler, which says later who may enter where. A door is opened and closed by its
 * runner's statechart alone; once it is closed nobody gets in, and it counts those who are still inside.
 */
export class Doors {
  /** The effect by which runners keep their doors. */
  readonly keepDoor: Effects['keepDoor'];
  readonly #options: DoorsOptions;
  readonly #listeners: Listeners = { asked: [], granted: [], refused: [], lost: [], ended: [] };
  readonly #doors = new Map<RunnerId, Door>();
  readonly #doorsOfModel = new Map<string, Door[]>();
  readonly #places = new Map<LeaseId, Door>();
  /** Who waits at the scheduler, and for which model. */
  readonly #waiting = new Map<LeaseId, string>();
  readonly #waitingFor = new Map<string, number>();
  /** What the scheduler has not been told yet. */
  #uses: DoorUse[] = [];
  #isToTell = false;

  constructor(options: DoorsOptions) {
    this.#options = options;
    this.keepDoor = fromCallback<DoorCommand, DoorSpec>(({ input, sendBack, receive }) => {
      const door = this.#build(input, sendBack);
      receive((command) => this.#obey(door, command));
      return () => this.#remove(door);
    });
  }

  /** Hears what becomes of requests. */
  on<Type extends keyof Told>(type: Type, listener: (fact: Told[Type]) => void): void {
    this.#listeners[type].push(listener);
  }

  /** Requests that wait, and those that are being served. */
  get counts(): { readonly waiting: number; readonly held: number } {
    return { waiting: this.#waiting.size, held: this.#places.size };
  }

  /** Who is being served by a runner at present. */
  inside(runnerId: RunnerId): ReadonlySet<LeaseId> {
    return new Set(this.#doors.get(runnerId)?.inside.keys());
  }

  /** Whether anybody may still enter. */
  isOpen(runnerId: RunnerId): boolean {
    return this.#doors.get(runnerId)?.state === 'open';
  }

  /** Asks for a runner; the answer, which may come before this returns, is told to the listeners. */
  request(request: Request): void {
    const { leaseId, spec, keepAlive, isRetry } = request;
    this.#say('asked', request);
    const door = this.#openDoorFor(spec);
    if (door) {
      const wish = clampKeepAlive(keepAlive, spec.keepAliveLimit);
      const { runnerId } = door;
      this.#note({ kind: 'entered', runnerId, atMs: this.#options.now(), keepAlive: wish, isRetry });
      return this.#enter(door, leaseId, wish, NO_WAIT);
    }
    this.#waiting.set(leaseId, spec.name);
    this.#waitingFor.set(spec.name, (this.#waitingFor.get(spec.name) ?? 0) + 1);
    this.#send({ type: 'request.submitted', request });
  }

  /** The scheduler's answer to one that has waited. It may have left meanwhile, and then its slot is free again. */
  letIn({ waiting, runnerId, waitMs, loadMs }: Extract<SchedulerEmitted, { type: 'request.granted' }>): void {
    const { leaseId, keepAlive } = waiting;
    const door = this.#doors.get(runnerId);
    if (!this.#waiting.has(leaseId))
      return this.#note({ kind: 'left', runnerId, atMs: this.#options.now(), servedMs: null });
    if (door?.state !== 'open') return this.#options.send({ type: 'request.returned', waiting, runnerId });
    this.#stopWaiting(leaseId);
    this.#enter(door, leaseId, keepAlive, { waitMs, loadMs });
  }

  /** The scheduler's answer to one that has waited in vain; of others it is none of ours. */
  refuse(leaseId: LeaseId, failure: Failure): void {
    if (this.#stopWaiting(leaseId)) this.#say('refused', { leaseId, failure });
  }

  /** A request was served, or its client has gone; does nothing when it is over already. */
  release(leaseId: LeaseId): void {
    const door = this.#places.get(leaseId);
    if (!door) return;
    this.#say('ended', { leaseId, isCancelled: false });
    this.#leave(door, leaseId);
  }

  /** The client has left: its request waits no longer, or is served no longer. */
  withdraw(leaseId: LeaseId): void {
    if (!this.#stopWaiting(leaseId)) return this.release(leaseId);
    this.#say('ended', { leaseId, isCancelled: true });
    this.#send({ type: 'request.withdrawn', leaseId });
  }

  /** Tells the scheduler all that has happened at the doors until now. */
  tell(): void {
    this.#isToTell = false;
    if (this.#uses.length === 0) return;
    const uses = this.#uses;
    this.#uses = [];
    this.#options.send({ type: 'doors.used', uses });
  }

  #build({ runnerId, spec }: DoorSpec, tell: (event: DoorEvent) => void): Door {
    const door: Door = {
      runnerId,
      spec,
      tell,
      endpoint: null,
      slots: 0,
      state: 'not yet open',
      inside: new Map(),
    };
    this.#doors.set(runnerId, door);
    this.#doorsOfModel.set(spec.name, [...(this.#doorsOfModel.get(spec.name) ?? []), door]);
    return door;
  }

  #obey(door: Door, command: DoorCommand): void {
    switch (command.type) {
      case 'door.open':
        door.endpoint = command.endpoint;
        door.slots = command.slots;
        door.state = 'open';
        return;
      case 'door.close':
        door.state = 'closed';
        if (door.inside.size === 0) door.tell({ type: 'door.closed' });
        return;
      case 'door.evacuate':
        return this.#evacuate(door, command.failure);
    }
  }

  #evacuate(door: Door, failure: Failure): void {
    const { runnerId } = door;
    door.state = 'closed';
    const atMs = this.#options.now();
    const lost = [...door.inside.keys()];
    door.inside.clear();
    for (const leaseId of lost) {
      this.#places.delete(leaseId);
      this.#note({ kind: 'left', runnerId, atMs, servedMs: null });
    }
    for (const leaseId of lost) this.#say('lost', { leaseId, runnerId, failure });
  }

  #remove(door: Door): void {
    const { runnerId, spec } = door;
    const others = (this.#doorsOfModel.get(spec.name) ?? []).filter((other) => other !== door);
    if (others.length > 0) this.#doorsOfModel.set(spec.name, others);
    else this.#doorsOfModel.delete(spec.name);
    this.#doors.delete(runnerId);
    // Its runner's statechart sees to that whenever it can.
    this.#evacuate(door, { code: 'runner_crashed', message: `${spec.name}: its supervisor broke.` });
  }

  #openDoorFor(spec: ModelSpec): Door | null {
    if (this.#waitingFor.has(spec.name)) return null;
    const doors = this.#doorsOfModel.get(spec.name);
    if (!doors) return null;
    const policy = this.#options.policy();
    let best: Door | null = null;
    for (const door of doors) {
      if (door.state !== 'open' || door.inside.size >= door.slots) continue;
      if (!letsIn(policy, door.spec, spec)) continue;
      if (best === null || door.inside.size < best.inside.size) best = door;
    }
    return best;
  }

  #enter(door: Door, leaseId: LeaseId, keepAlive: KeepAlive | null, wait: Wait): void {
    const { runnerId, spec, endpoint, inside } = door;
    if (!endpoint) return;
    inside.set(leaseId, this.#options.now());
    this.#places.set(leaseId, door);
    if (inside.size === 1 || keepAlive !== null) door.tell({ type: 'door.entered', keepAlive });
    this.#say('granted', { leaseId, runnerId, model: spec.name, endpoint, ...wait });
  }

  #leave(door: Door, leaseId: LeaseId): void {
    const { runnerId, inside } = door;
    const atMs = this.#options.now();
    const servedMs = atMs - (inside.get(leaseId) ?? atMs);
    inside.delete(leaseId);
    this.#places.delete(leaseId);
    if (inside.size === 0) door.tell({ type: door.state === 'closed' ? 'door.closed' : 'door.emptied' });
    this.#note({ kind: 'left', runnerId, atMs, servedMs });
  }

  /** False when it did not wait. */
  #stopWaiting(leaseId: LeaseId): boolean {
    const model = this.#waiting.get(leaseId);
    if (model === undefined) return false;
    this.#waiting.delete(leaseId);
    const left = (this.#waitingFor.get(model) ?? 0) - 1;
    if (left > 0) this.#waitingFor.set(model, left);
    else this.#waitingFor.delete(model);
    return true;
  }

  /** While somebody waits, whoever leaves may be whom they wait for. */
  #note(use: DoorUse): void {
    this.#uses.push(use);
    const { tellWithinMs, later } = this.#options;
    if (tellWithinMs === 0 || this.#waiting.size > 0) return this.tell();
    if (this.#isToTell) return;
    this.#isToTell = true;
    later(() => {
      if (this.#isToTell) this.tell();
    }, tellWithinMs);
  }

  #say<Type extends keyof Told>(type: Type, fact: Told[Type]): void {
    for (const listener of this.#listeners[type]) {
      try {
        listener(fact);
      } catch (error) {
        this.#options.onBroken(error);
      }
    }
  }

  /** In order: what has happened before comes first. */
  #send(command: SchedulerCommand): void {
    this.tell();
    this.#options.send(command);
  }
}
