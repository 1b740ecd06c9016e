import { expect } from 'chai';
import {
  assign,
  createActor,
  sendTo,
  setup,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type InspectionEvent,
} from 'xstate';
import { Doors } from '../../actors/doors.ts';
import type { DoorCommand, DoorEvent } from '../../machines/effects.ts';
import type { Waiting } from '../../machines/planning/view.ts';
import type { SchedulerCommand } from '../../machines/scheduler/contract.ts';
import { aGpu, aModel, Pool } from '../support/pool.ts';

const model = aModel('a', 8, { launch: { ...aModel('a', 8).launch, slots: 2 } });
const endpoint = { baseUrl: 'http://runner', apiKey: 'key' };

/** One door by itself: what it tells its runner and the scheduler. */
class LoneDoor {
  readonly toRunner: DoorEvent[] = [];
  readonly toScheduler: SchedulerCommand[] = [];
  readonly told: string[] = [];
  readonly doors = new Doors({
    now: () => 0,
    later: () => {},
    tellWithinMs: 50,
    policy: () => 'default',
    send: (command) => this.toScheduler.push(command),
    onBroken: (error) => {
      throw error;
    },
  });
  readonly #runner = createActor(
    setup({
      types: { events: {} as DoorEvent | DoorCommand },
      actors: { keepDoor: this.doors.keepDoor },
    }).createMachine({
      invoke: { id: 'door', src: 'keepDoor', input: { runnerId: 'runner-1', spec: model } },
      on: {
        'door.open': { actions: sendTo('door', ({ event }) => event) },
        'door.close': { actions: sendTo('door', ({ event }) => event) },
        'door.evacuate': { actions: sendTo('door', ({ event }) => event) },
        '*': { actions: assign(({ event }) => (this.toRunner.push(event as DoorEvent), {})) },
      },
    }),
  );

  constructor() {
    for (const type of ['granted', 'refused', 'lost', 'ended'] as const)
      this.doors.on(type, ({ leaseId }) => this.told.push(`${leaseId} ${type}`));
    this.#runner.start();
  }

  command(command: DoorCommand): void {
    this.#runner.send(command);
  }
  opened(): this {
    this.command({ type: 'door.open', endpoint, slots: 2 });
    return this;
  }
  ask(leaseId: string): void {
    const rest = { priority: 'normal', keepAlive: null, waitLimitMs: Infinity, isRetry: false } as const;
    this.doors.request({ leaseId, spec: model, ...rest });
  }
  /** What the scheduler was asked for, without what it was only told. */
  get asked(): string[] {
    return this.toScheduler.flatMap((command) => (command.type === 'doors.used' ? [] : command.type));
  }
}

const waiting = (leaseId: string): Waiting => ({
  leaseId,
  spec: model,
  arrivedAtMs: 0,
  placeMs: 0,
  seq: 1,
  priority: 'normal',
  keepAlive: null,
  deadlineMs: Infinity,
});

describe('a door', () => {
  it('lets in as many as there are slots, and everybody else waits at the scheduler', () => {
    const door = new LoneDoor().opened();

    for (const id of ['r1', 'r2', 'r3']) door.ask(id);

    expect(door.told).to.deep.equal(['r1 granted', 'r2 granted']);
    expect(door.asked).to.deep.equal(['request.submitted']);
  });

  it('lets nobody pass those who wait, though a slot is free', () => {
    const door = new LoneDoor().opened();
    for (const id of ['r1', 'r2', 'r3']) door.ask(id);

    door.doors.release('r1');
    door.ask('r4');

    expect(door.told).to.deep.equal(['r1 granted', 'r2 granted', 'r1 ended']);
    expect(door.asked).to.deep.equal(['request.submitted', 'request.submitted']);
  });

  it('tells its runner of the first one in and the last one out, and of nobody between', () => {
    const door = new LoneDoor().opened();

    door.ask('r1');
    door.ask('r2');
    door.doors.release('r1');
    door.doors.release('r2');
    door.doors.release('r2');

    expect(door.toRunner.map(({ type }) => type)).to.deep.equal(['door.entered', 'door.emptied']);
  });

  it('is closed to everybody at once, and says so when the last one has left', () => {
    const door = new LoneDoor().opened();
    door.ask('r1');

    door.command({ type: 'door.close' });
    door.ask('r2');
    expect(door.toRunner.map(({ type }) => type)).to.deep.equal(['door.entered']);
    door.doors.release('r1');

    expect(door.told).to.deep.equal(['r1 granted', 'r1 ended']);
    expect(door.toRunner.map(({ type }) => type)).to.deep.equal(['door.entered', 'door.closed']);
  });

  it('takes their runner from those inside, once, when it is evacuated', () => {
    const door = new LoneDoor().opened();
    door.ask('r1');
    door.ask('r2');

    door.command({ type: 'door.evacuate', failure: { code: 'runner_crashed', message: 'gone' } });
    door.command({ type: 'door.evacuate', failure: { code: 'runner_crashed', message: 'gone' } });
    door.doors.release('r1');

    expect(door.told.slice(2)).to.deep.equal(['r1 lost', 'r2 lost']);
    expect(door.doors.counts).to.deep.equal({ waiting: 0, held: 0 });
  });

  it('sends back who was granted it when it was closed by then, and gives up the slot of who has left', () => {
    const door = new LoneDoor().opened();
    for (const id of ['r1', 'r2', 'r3', 'r4']) door.ask(id);
    door.doors.withdraw('r4');
    const grant = { type: 'request.granted', runnerId: 'runner-1', waitMs: 0, loadMs: 0 } as const;

    door.doors.letIn({ ...grant, waiting: waiting('r4') });
    door.command({ type: 'door.close' });
    door.doors.letIn({ ...grant, waiting: waiting('r3') });

    expect(door.asked.slice(2)).to.deep.equal(['request.withdrawn', 'request.returned']);
    expect(door.toScheduler.findLast(({ type }) => type === 'doors.used')).to.deep.equal({
      type: 'doors.used',
      uses: [{ kind: 'left', runnerId: 'runner-1', atMs: 0, servedMs: null }],
    });
    expect(door.doors.counts).to.deep.equal({ waiting: 1, held: 2 });
  });
});

describe('a warm request', () => {
  /** How many events each chart takes from now on. */
  function counted(pool: Pool): Map<string, number> {
    const counts = new Map<string, number>();
    pool.scheduler.system.inspect((inspected: InspectionEvent) => {
      if (inspected.type !== '@xstate.snapshot') return;
      const { machine } = inspected.snapshot as AnyMachineSnapshot;
      const { id } = inspected.actorRef as AnyActorRef;
      if (machine) counts.set(id, (counts.get(id) ?? 0) + 1);
    });
    return counts;
  }
  function loaded(): Pool {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24)], tellWithinMs: 60_000 });
    pool.request(model, { runMs: 100 });
    pool.advance(20_000);
    return pool;
  }

  it('takes no transition of the scheduler, and two of its runner when it is alone', () => {
    const pool = loaded();
    const counts = counted(pool);

    const { end, grantedAtMs } = pool.request(model);
    end();

    expect(grantedAtMs).to.equal(pool.world.clock.now());
    expect([...counts]).to.deep.equal([['runner-1', 2]]);
  });

  it('takes no transition at all when others keep its runner busy', () => {
    const pool = loaded();
    pool.request(model);
    const counts = counted(pool);

    for (let i = 0; i < 100; i++) pool.request(model).end();

    expect([...counts]).to.deep.equal([]);
  });
});
