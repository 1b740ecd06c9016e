import { bytesOn } from '../../../machines/planning/shared-memory.ts';
import type { LedgerReader } from '../../../machines/scheduler/ledger-reader.ts';
import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { World } from '../../../src/simulation/world.ts';

/** A request of a script. Times are the world's, in ms. */
export interface Asked {
  readonly id: string;
  readonly spec: ModelSpec;
  readonly atMs: number;
  readonly runMs: number;
}

/** How things are when a request has waited for as long as it may. */
export interface TimedOut {
  readonly one: Asked;
  readonly others: readonly Asked[];
  /** Since when nothing has happened but requests. */
  readonly calmSinceMs: number;
  readonly nowMs: number;
  /** The longest load that there may be, in ms. */
  readonly longestLoadMs: number;
  /** Whether a request has its runner at present. */
  readonly isServed: (id: string) => boolean;
  readonly ledger: LedgerReader;
  readonly world: World;
}

/** The longest turn of a model that is always in use: see `make-room.ts`. */
const LONGEST_TURN = 3 * 3;
const MOST_PATIENCE = 2;
/** Until a process has gone and its memory is back, readings and late timers included. */
const CHANGE_MS = 10_000;

/**
 * Whether a request that was told to come again should have been served instead: nothing was wrong, there was a device that could have
 * been its model's alone, and it waited for longer than the turns of all who were in its way and its own load can take. When in doubt:
 * no.
 */
export function leftRoom(timedOut: TimedOut): boolean {
  const { one, calmSinceMs, nowMs, ledger, world } = timedOut;
  const isCalm =
    world.probeFault === 'none' &&
    [...world.devices.values()].every(({ fault }) => fault === 'none') &&
    [...world.models.values()].every(({ fault }) => fault === null);
  if (!isCalm || !couldBeAlone(one.spec, ledger, world)) return false;
  const sinceMs = Math.max(one.atMs, calmSinceMs, ledger.retryAtMs(one.spec.name));
  return nowMs - sinceMs > longestWaitMs({ ...timedOut, calmSinceMs: sinceMs });
}

/** A bound that the policy promises: everybody else's turn, everybody's answers, its own patience and its own load. */
function longestWaitMs({
  one,
  others,
  calmSinceMs,
  nowMs,
  longestLoadMs,
  ledger,
  isServed,
}: TimedOut): number {
  const isInTheWay = ({ id, atMs }: Asked): boolean =>
    atMs <= nowMs && (isServed(id) || ledger.waitingOf(id) !== undefined || atMs >= calmSinceMs);
  const before = others.filter((other) => isInTheWay(other) || other.atMs + other.runMs >= calmSinceMs);
  const answersMs = before.reduce((sum, { runMs }) => sum + runMs, 0);
  const longestAnswerMs = Math.max(0, ...others.map(({ runMs }) => runMs));
  const classes = new Set([...before.map(({ spec }) => spec.classKey), ...ledger.queues.keys()]);
  classes.delete(one.spec.classKey);
  const roundTripMs = 2 * longestLoadMs;
  const turnMs = LONGEST_TURN * (roundTripMs + longestAnswerMs);
  const changeMs = MOST_PATIENCE * roundTripMs + longestLoadMs + CHANGE_MS;
  return answersMs + classes.size * turnMs + (1 + classes.size) * changeMs;
}

/** Whether one of its devices holds it beside what is pinned and what other programs have, and one more runner may be there. */
export function couldBeAlone(spec: ModelSpec, ledger: LedgerReader, world: World): boolean {
  const pins = [...ledger.runners.values()].filter(
    ({ pinned, spec: { name } }) => pinned && name !== spec.name,
  );
  const { maxRunners, gpuOverheadBytes } = ledger.settings;
  if (spec.spread === true || (maxRunners !== null && pins.length >= maxRunners)) return false;
  return [...ledger.devices.values()].some((device) => {
    const isAllowed = spec.devices === null || spec.devices.includes(device.id);
    // Beside it counts who is on the CPU, and on other GPUs that share it: when in doubt, no.
    if (device.sharesMainMemory || device.pause !== undefined) return false;
    if (!isAllowed || (device.kind === 'cpu') !== (spec.placement === 'cpu-only')) return false;
    const othersBytes = world.devices.get(device.id)?.othersBytes ?? 0;
    const pinnedBytes = pins.reduce(
      (sum, { reservation }) => sum + bytesOn(reservation, device, ledger.devices),
      0,
    );
    const usableBytes = Math.min(device.limitBytes, device.totalBytes - othersBytes) - pinnedBytes;
    return spec.needBytes + gpuOverheadBytes <= usableBytes;
  });
}
