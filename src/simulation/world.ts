import type { ProcessSpec } from '../../machines/effects.ts';
import type { Failure } from '../../machines/failures.ts';
import {
  sumBytes,
  type DeviceId,
  type DeviceReading,
  type Reservation,
  type RunnerId,
} from '../../machines/vocabulary.ts';
import { VirtualClock } from './virtual-clock.ts';

/** How often what a process holds is looked at. */
const LOOK_EVERY_MS = 5_000;

/** A modelled device. Memory is given back `recoveryMs` after a process has gone. */
export interface WorldDevice {
  readonly reading: Omit<DeviceReading, 'freeBytes'>;
  /** Held by other programs. */
  othersBytes: number;
  recoveryMs: number;
  /** How probes of it fail, when they do; `stale` goes on telling `staleFreeBytes`. */
  fault: 'none' | 'unknown' | 'gone' | 'stale';
  staleFreeBytes?: number;
  /** Lost at the end of each process. */
  leakBytes?: number;
}

/** How one model's processes behave. */
export interface WorldModel {
  loadMs: number;
  exitMs: number;
  /** What it really holds; null: just its reservation. */
  realBytes: number | null;
  fault: ProcessFault | null;
  /** How long its conversations take to be kept, and to be brought back; absent: no time. */
  saveMs?: number | 'hangs' | 'fails';
  restoreMs?: number | 'hangs' | 'fails';
  /** How often a loading process shows life; absent: never. */
  signOfLifeMs?: number;
}

export type ProcessFault =
  | {
      readonly kind: 'fails-to-load';
      readonly afterMs: number;
      readonly failure: Failure;
      /** So many loads, then all is well; absent: all of them. */
      readonly times?: number;
    }
  | { readonly kind: 'never-ready' }
  /** Never ready, and no sign of life any more from then on. */
  | { readonly kind: 'goes-silent'; readonly afterMs: number }
  | { readonly kind: 'ignores-terminate' }
  | { readonly kind: 'ignores-kill'; readonly forMs: number };

export interface WorldProcess {
  readonly spec: ProcessSpec;
  readonly model: WorldModel;
  readonly startedAtMs: number;
  /** How long its load takes, as of its spawn. */
  readonly loadMs: number;
  readonly exit: (signal: string | null, failure: Failure) => void;
  /** Tells its runner what it holds; there while that is watched. */
  tellUse?: () => void;
  /** Bytes per device that it holds once it has loaded; from its spawn until then they grow evenly. */
  whole: Reservation;
  isAlive: boolean;
  /** Tells its runner that it no longer answers; there while its health is watched. */
  stopAnswering?: (message: string) => void;
}

/** Modelled devices and processes in virtual time: what the simulated effects act upon. */
export class World {
  readonly clock = new VirtualClock();
  readonly devices = new Map<DeviceId, WorldDevice>();
  readonly models = new Map<string, WorldModel>();
  readonly processes = new Map<RunnerId, WorldProcess>();
  /** Models whose files are being read while their memory is on its way. */
  readonly readAhead = new Set<string>();
  probeMs = 5;
  probeFault: 'none' | 'fails' | 'hangs' = 'none';
  /** Memory of processes that have gone and whose devices have not noticed yet. */
  readonly #lingering = new Map<DeviceId, number>();

  modelOf(name: string): WorldModel {
    let model = this.models.get(name);
    if (!model) this.models.set(name, (model = { loadMs: 1000, exitMs: 200, realBytes: null, fault: null }));
    return model;
  }

  /** What a process holds now: memory fills up while it loads. */
  #heldBy({ whole, loadMs, startedAtMs }: WorldProcess): Reservation {
    const share = loadMs > 0 ? Math.min(1, (this.clock.now() - startedAtMs) / loadMs) : 1;
    return share === 1 ? whole : times(whole, share);
  }

  /** A serving process comes to hold so much, evenly within a time, and is looked at as often as a real one. */
  grow(process: WorldProcess, toBytes: number, withinMs: number): void {
    process.tellUse?.();
    const looks = Math.max(1, Math.ceil(withinMs / LOOK_EVERY_MS));
    const stepBytes = (toBytes - sumBytes(process.whole)) / looks;
    const step = (left: number): void => {
      if (!process.isAlive) return;
      const nowBytes = sumBytes(process.whole);
      if (left > 0 && nowBytes > 0) process.whole = times(process.whole, (nowBytes + stepBytes) / nowBytes);
      process.tellUse?.();
      // Once more when it has come to rest.
      if (left > 0) this.clock.setTimeout(() => step(left - 1), LOOK_EVERY_MS);
    };
    step(looks);
  }

  /** The process is gone; its memory lingers for as long as the device takes to notice. */
  letGo(process: WorldProcess): void {
    process.isAlive = false;
    for (const [id, bytes] of Object.entries(this.#heldBy(process))) {
      const { recoveryMs = 0, leakBytes = 0 } = this.devices.get(id) ?? {};
      const leaked = Math.min(bytes, leakBytes);
      this.#linger(id, leaked, Infinity);
      this.#linger(id, bytes - leaked, recoveryMs);
    }
    process.whole = {};
  }

  /** What is held on a device that shares main memory is held there, too. */
  heldOn(id: DeviceId): number {
    let bytes = this.#heldOnItself(id);
    if (this.devices.get(id)?.reading.kind === 'cpu')
      for (const [other, { reading }] of this.devices)
        if (reading.sharesMainMemory) bytes += this.#heldOnItself(other);
    return bytes;
  }

  #heldOnItself(id: DeviceId): number {
    let bytes = this.#lingering.get(id) ?? 0;
    for (const process of this.processes.values()) bytes += this.#heldBy(process)[id] ?? 0;
    return bytes;
  }

  read(ids: readonly DeviceId[] | null): DeviceReading[] {
    const readings: DeviceReading[] = [];
    for (const [id, device] of this.devices) {
      if (device.fault === 'gone' || (ids !== null && !ids.includes(id))) continue;
      readings.push({ ...device.reading, freeBytes: this.#freeOn(id, device) });
    }
    return readings;
  }

  #freeOn(id: DeviceId, device: WorldDevice): number | null {
    if (device.fault === 'unknown') return null;
    if (device.fault === 'stale') return device.staleFreeBytes ?? 0;
    const freeBytes = Math.max(0, device.reading.totalBytes - device.othersBytes - this.heldOn(id));
    if (!device.reading.sharesMainMemory) return freeBytes;
    const [main] = [...this.devices].filter(([, { reading }]) => reading.kind === 'cpu');
    return Math.min(freeBytes, main ? (this.#freeOn(...main) ?? Infinity) : Infinity);
  }

  #linger(id: DeviceId, bytes: number, forMs: number): void {
    if (bytes === 0 || forMs === 0) return;
    const add = (more: number): unknown => this.#lingering.set(id, (this.#lingering.get(id) ?? 0) + more);
    add(bytes);
    this.clock.setTimeout(() => add(-bytes), forMs);
  }
}

/** What a process holds once it has loaded: its reservation, unless its model really takes another amount. */
export function wholeOf({ reservation }: ProcessSpec, { realBytes }: WorldModel): Reservation {
  if (realBytes === null) return reservation;
  return times(reservation, realBytes / sumBytes(reservation));
}

const times = (reservation: Reservation, factor: number): Reservation =>
  Object.fromEntries(Object.entries(reservation).map(([id, bytes]) => [id, bytes * factor]));
