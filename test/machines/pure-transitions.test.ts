import { expect } from 'chai';
import { transition, type AnyActorRef, type AnyMachineSnapshot, type InspectionEvent } from 'xstate';
import { snapshotOf } from '../../machines/model/step.ts';
import { aGpu, aModel, Pool } from '../support/pool.ts';

/** One event that an actor took: what it was before, and what became of it. */
interface Taken {
  readonly atMs: number;
  readonly event: { readonly type: string };
  readonly before: AnyMachineSnapshot;
  readonly after: AnyMachineSnapshot;
}

/** Two models that exclude each other, one that fails to load, a crash, a stop and a shutdown; every event of every chart. */
function recordedRun(): ReadonlyMap<string, Taken[]> {
  const taken = new Map<string, Taken[]>();
  const last = new WeakMap<AnyActorRef, AnyMachineSnapshot>();
  const pool = new Pool({ devices: [aGpu('CUDA0', 24)] });
  const { clock } = pool.world;
  // Models' charts are played within the scheduler's transitions, by an XState that keeps nothing of them.
  pool.scheduler.on('model.stepped', ({ event, before, after }) => {
    const one = { atMs: clock.now(), event, before: snapshotOf(before), after: snapshotOf(after) };
    taken.set('model', [...(taken.get('model') ?? []), one]);
  });
  pool.scheduler.system.inspect((inspected: InspectionEvent) => {
    const actor = inspected.actorRef as AnyActorRef;
    if (inspected.type !== '@xstate.snapshot') return;
    const after = inspected.snapshot as AnyMachineSnapshot;
    if (!after.machine) return;
    const before = last.get(actor);
    last.set(actor, after);
    if (!before) return;
    const one = { atMs: clock.now(), event: inspected.event, before, after };
    taken.set(after.machine.id, [...(taken.get(after.machine.id) ?? []), one]);
  });
  const [a, b, c] = [aModel('a', 16), aModel('b', 16), aModel('c', 4)];
  pool.world.modelOf('c').fault = {
    kind: 'fails-to-load',
    afterMs: 500,
    failure: { code: 'load_failed', message: 'broken' },
    times: 1,
  };
  for (let i = 0; i < 4; i++) pool.request(a, { runMs: 2_000 });
  pool.request(b, { runMs: 3_000, waitLimitMs: 30_000 });
  pool.request(c, { runMs: 1_000 });
  pool.advance(20_000);
  pool.request(c, { runMs: 30_000 });
  pool.advance(5_000);
  for (const process of pool.world.processes.values())
    process.exit('SIGSEGV', { code: 'runner_crashed', message: 'crashed' });
  pool.request(a, { runMs: 100 });
  pool.advance(60_000);
  pool.scheduler.send({ type: 'model.keep', model: 'a', keepAlive: 'forever', pinned: true });
  pool.request(b, { runMs: 100 }).cancel();
  pool.scheduler.send({ type: 'model.unload', model: 'a', drainMs: 0 });
  pool.advance(10_000);
  pool.scheduler.send({ type: 'scheduler.drain', drainMs: 1_000 });
  pool.advance(10_000);
  return taken;
}

/** What a snapshot says: where it stands and what it knows, without the actors that it refers to. */
const contentOf = ({ value, status, context }: AnyMachineSnapshot): unknown =>
  JSON.stringify({ value, status, context }, (_, part: unknown) => {
    if (part instanceof Map) return [...part];
    if (part instanceof Set) return [...part];
    if (part instanceof Float64Array) return [...part];
    if (part === Infinity) return 'forever';
    return isActor(part) ? 'an actor' : part;
  });

const isActor = (part: unknown): boolean => typeof part === 'object' && part !== null && 'sessionId' in part;

/** The same snapshot with a clock that stands at a moment, and tables that share nothing with the original. */
function restored(snapshot: AnyMachineSnapshot, atMs: number): AnyMachineSnapshot {
  const { context } = snapshot;
  if (!('tables' in context)) return snapshot;
  return {
    ...snapshot,
    context: { ...context, now: () => atMs, tables: structuredClone(context.tables) },
  } as AnyMachineSnapshot;
}

describe('a transition', () => {
  const run = recordedRun();

  for (const chart of ['scheduler', 'model', 'runner', 'devices']) {
    it(`of the ${chart} gives the same on a restored snapshot, and leaves what it began with as it was`, () => {
      const taken = run.get(chart) ?? [];
      expect(taken).to.have.length.above(5);
      for (const { atMs, event, before, after } of taken) {
        const original = contentOf(before);
        const snapshot = restored(before, atMs);

        const [played] = transition(before.machine, snapshot, event as never);
        const [again] = transition(before.machine, snapshot, event as never);

        expect(played.value, event.type).to.deep.equal(after.value);
        // As booleans: to draw the difference of two long texts takes minutes.
        expect(contentOf(played) === contentOf(after), `${event.type} leads elsewhere`).to.equal(true);
        expect(contentOf(again) === contentOf(after), `${event.type} leads elsewhere`).to.equal(true);
        expect(contentOf(before) === original, `${event.type} changes what was`).to.equal(true);
      }
    });
  }
});
