import { whoComesBack } from '../../../machines/scheduler/come-back.ts';
import { isOn, runnersOnPaused } from '../../../machines/planning/paused.ts';
import { explainWait } from '../../../machines/planning/explain.ts';
import { decide } from '../../../machines/planning/plan.ts';
import { bytesOn } from '../../../machines/planning/shared-memory.ts';
import { canServe, isServing } from '../../../machines/planning/sharing.ts';
import { nextToGiveUp } from '../../../machines/planning/queues.ts';
import { emptyTable, rowsOf, type Rows, type Table } from '../../../machines/planning/table.ts';
import type { Decision } from '../../../machines/planning/view.ts';
import { LedgerReader } from '../../../machines/scheduler/ledger-reader.ts';
import type { SchedulerContext } from '../../../machines/scheduler/setup.ts';
import type { RunnerRow } from '../../../machines/scheduler/tables.ts';
import { ledgerOf } from '../../../src/ledger-of.ts';
import { settings, type Pool } from '../pool.ts';
import type { Breaches } from './breaches.ts';
import type { Models } from './models.ts';
import { disagreements } from './model-charts.ts';
import { couldBeAlone } from './room.ts';
import { NAMES, type Script } from './script.ts';

/** How late a timer may be, in ms: the latest that a script makes them. */
const LATE_MS = 50;
/** Steps after which nobody can know what is free. */
const MISLEADING: ReadonlySet<Script['steps'][number]['kind']> = new Set([
  'others',
  'device',
  'probe',
  // What a process held that has gone by itself is taken for free as soon as a device can be read.
  'crash',
  'loadFails',
]);

/**
 * What holds of a pool whatever happens to it. The policies that are there for comparison know no pins, and may let somebody wait for ever.
 */
export class Promises {
  readonly #pool: Pool;
  readonly #script: Script;
  readonly #breaches: Breaches;
  readonly #hasJumps: boolean;
  readonly #isSteady: boolean;
  readonly #isHonest: boolean;
  #table: Table<RunnerRow> | null = null;
  #runners: Rows<RunnerRow> = rowsOf(emptyTable<RunnerRow>());

  constructor(pool: Pool, script: Script, breaches: Breaches) {
    this.#pool = pool;
    this.#script = script;
    this.#breaches = breaches;
    this.#hasJumps = script.steps.some(({ kind }) => kind === 'jump');
    this.#isSteady = script.timers === 'steady' && !this.#hasJumps;
    this.#isHonest = isHonest(script);
    pool.scheduler.on('decision', ({ record: { kind, code, model } }) => {
      const isCommanded = code === 'device_paused' || code === 'limit_lowered' || code === 'load_abandoned';
      const { eviction } = ledgerOf(pool.scheduler).settings;
      if (kind === 'evict' && eviction === 'manual' && !isCommanded)
        breaches.check(false, `${model} is evicted without a command`);
    });
    pool.scheduler.subscribe((snapshot) => {
      const { runners } = snapshot.context.tables;
      if (runners === this.#table) return;
      this.#table = runners;
      this.#runnersChanged(ledgerOf(pool.scheduler));
    });
  }

  /** After every step of a script. */
  hold(): void {
    const { doors, world, scheduler } = this.#pool;
    doors.tell();
    const { ledger } = this.#pool;
    this.#standing(ledger);
    if (this.#isHonest)
      for (const [id, { reading }] of world.devices)
        this.#check(world.heldOn(id) <= reading.totalBytes + 1, `more of ${id} is in use than there is`);
    this.#queues(ledger);
    for (const runnerId of world.processes.keys())
      this.#check(ledger.runners.has(runnerId), `the process of ${runnerId} has no supervisor`);
    this.#check(scheduler.getSnapshot().status === 'active', 'the scheduler broke');
    this.#breaches.raise();
  }

  /** Once nothing has happened for an hour. */
  rested(models: Models): void {
    const { ledger, world } = this.#pool;
    if (this.#script.policy !== 'default') return;
    this.#check(ledger.waitingCount === 0, `${waiting(ledger)} wait for ever`);
    this.#check(ledger.claims.size === 0, 'memory is claimed for nobody');
    this.#pins(ledger, models);
    this.#check(ledger.leaseCount === 0, 'a lease was left');
    for (const runner of ledger.runners.values()) {
      const stays = runner.pinned || runner.keepAlive === 'forever' || runner.overstayed;
      this.#check(isServing(runner) && stays, `${runner.id} is ${runner.state} and should be gone`);
    }
    this.#check(world.processes.size === ledger.runners.size, 'processes were left');
    const back = whoComesBack(ledger);
    this.#check(back === null, `${back?.name} had to go, and does not come back`);
    this.#breaches.raise();
  }

  /** Once Corral has been told to end. */
  ended(): void {
    const { scheduler, world } = this.#pool;
    this.#check(scheduler.getSnapshot().status === 'done', 'it does not end');
    this.#check(world.processes.size === 0, 'processes were left');
    this.#check(world.clock.pending === 0, `${world.clock.pending} timers are left`);
    this.#breaches.raise();
  }

  #check(isSo: boolean, what: string): void {
    this.#breaches.check(isSo, what);
  }

  /** At each change: how many there are, of one model too, what they hold, and how many are served by them. */
  #runnersChanged(ledger: LedgerReader): void {
    const { maxRunners } = ledger.settings;
    const before = this.#runners;
    this.#runners = ledger.runners;
    const isMore = ledger.runners.size > before.size;
    if (maxRunners !== null && isMore)
      this.#check(ledger.runners.size <= maxRunners, `${ledger.runners.size} runners, limit ${maxRunners}`);
    for (const runner of ledger.runners.values()) {
      if (!before.has(runner.id)) this.#started(runner, ledger);
      this.#check(runner.leases <= runner.slots, `${runner.id} has more leases than slots`);
    }
  }

  #started({ id, spec, reservation }: RunnerRow, ledger: LedgerReader): void {
    const most = this.#script.models[NAMES.findIndex((name) => name === spec.name)]?.replicas ?? 1;
    const count = ledger.runnersOf(spec.name).length;
    this.#check(count <= most, `${count} processes of ${spec.name}`);
    for (const deviceId of Object.keys(reservation)) {
      const device = ledger.devices.get(deviceId);
      const isTaken = device?.pause !== undefined && isOn(reservation, device);
      this.#check(!isTaken, `${id} is started on ${deviceId}, which is paused`);
      const { limitBytes = 0, totalBytes = 0, othersBytes = 0, reservedBytes = 0 } = device ?? {};
      this.#check(reservedBytes <= limitBytes + 1, `${id} takes ${deviceId} beyond its limit`);
      this.#check(reservedBytes + othersBytes <= totalBytes + 1, `${id} takes ${deviceId} beyond its size`);
    }
  }

  /** Only who serves has leases, and what is booked on a device is the sum of what its runners hold. */
  #standing(ledger: LedgerReader): void {
    const runners = [...ledger.runners.values()];
    for (const { id, state, leases } of runners) {
      const mayServe = state === 'ready' || state === 'expiring';
      this.#check(mayServe || leases === 0, `${id} is ${state} with leases`);
    }
    for (const { id } of runnersOnPaused(ledger))
      this.#check(false, `${id} stays on a device that is paused`);
    for (const device of ledger.devices.values()) {
      const heldBytes = runners.reduce(
        (sum, { reservation }) => sum + bytesOn(reservation, device, ledger.devices),
        0,
      );
      const isExact = Math.abs(device.reservedBytes - heldBytes) < 1;
      this.#check(isExact, `${device.id}'s sum of reservations is off`);
    }
  }

  /** Nobody waits without a reason, beyond the deadline, or beside a free slot; and the planner has left nothing undone. */
  #queues(ledger: LedgerReader): void {
    for (const queue of ledger.queues.values()) {
      const { name } = queue.spec;
      this.#check(explainWait(queue, ledger, ledger.waits) !== '', `${name} waits for no reason`);
      const serving = ledger
        .runnersOf(name)
        .filter((runner) => isServing(runner) && canServe(runner.spec, queue.spec));
      const free = serving.find(({ leases, slots }) => leases < slots);
      const isDefault = this.#script.policy === 'default';
      this.#check(free === undefined || !isDefault, `${free?.id} has a free slot that ${name} waits for`);
      const deadlineMs = nextToGiveUp(queue)?.deadlineMs ?? Infinity;
      const isOverdue = ledger.now() > deadlineMs + LATE_MS && !this.#hasJumps;
      this.#check(!isOverdue, `somebody waits for ${name} beyond the deadline`);
    }
    const { context, value } = this.#pool.scheduler.getSnapshot();
    if (value !== 'running') return;
    for (const what of disagreements(ledger, this.#hasJumps ? Infinity : LATE_MS)) this.#check(false, what);
    if (!this.#isSteady) return;
    const undone = askedAnew(context);
    this.#check(!isActing(undone), `the planner has left a ${undone.kind} undone`);
  }

  /** Pinned models are there, unless there is no room for them beside other pinned ones. */
  #pins(ledger: LedgerReader, models: Models): void {
    // Who is in their way goes by command only.
    if (ledger.settings.eviction === 'manual') return;
    for (const name of neverUnpinned(this.#script))
      this.#check(ledger.isPinned(name), `${name} is pinned no more`);
    for (const spec of ledger.pinned) {
      const isThere = ledger.runnersOf(spec.name).some((runner) => isServing(runner) && runner.pinned);
      const canBe = couldBeAlone(models.asLearned(spec), ledger, this.#pool.world);
      this.#check(isThere || !canBe, `the pinned ${spec.name} has not come back`);
    }
  }
}

/** Whether needs are true and memory comes back while it is waited for, so that no more can be in use than there is. */
const isHonest = ({ models, steps, recoveryMs }: Script): boolean =>
  models.every(({ reallyShare }) => reallyShare === null || reallyShare <= 1) &&
  recoveryMs < settings().runner.recoveryLimitMs &&
  !steps.some(({ kind }) => MISLEADING.has(kind));

/** Pinned models that no step of a script has touched. */
function neverUnpinned({ models, steps }: Script): string[] {
  if (steps.some(({ kind }) => kind === 'stopRunner')) return [];
  const touched = new Set(
    steps.flatMap((step) =>
      step.kind === 'stop' || step.kind === 'keep' || step.kind === 'reload' ? [step.model] : [],
    ),
  );
  return NAMES.filter((_, i) => models[i]?.pinned === true && !touched.has(i));
}

/** What the planner says to somebody who has forgotten all answers that it gave before. */
function askedAnew({ now, tables }: SchedulerContext): Decision {
  const queues = new Map([...tables.queues].map(([classKey, queue]) => [classKey, { ...queue }]));
  return decide(new LedgerReader({ ...tables, queues, touched: new Set(NAMES) }, now), now());
}

/** Room that is there is taken, and what can never be is refused; whether somebody has to go may depend on the time. */
const isActing = (decision: Decision): boolean =>
  decision.kind === 'start' ||
  decision.kind === 'grant' ||
  (decision.kind === 'refuse' && decision.failure.code !== 'queue_timeout');

const waiting = (ledger: LedgerReader): string =>
  ledger
    .allWaiting()
    .map(({ leaseId, spec }) => `${leaseId} (${ledger.waits.get(spec.classKey) ?? 'no reason'})`)
    .join(', ');
