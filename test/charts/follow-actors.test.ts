import { expect } from 'chai';
import { actorRows } from '../../src/charts/actors.ts';
import { allCharts } from '../../src/charts/all-charts.ts';
import { followActors, type ActorEvent } from '../../src/charts/follow-actors.ts';
import { aGpu, aModel, Pool } from '../support/pool.ts';

describe('what is told of the actors', () => {
  const poolWithModel = () => {
    const pool = new Pool({ devices: [aGpu('CUDA0', 24)] });
    pool.advance(1_000);
    return { pool, model: aModel('a', 8) };
  };
  const followed = (pool: Pool) => {
    const events: ActorEvent[] = [];
    return { events, stop: followActors(pool.scheduler, (event) => events.push(event)) };
  };

  it('is where each stands on its chart', () => {
    const { pool, model } = poolWithModel();
    pool.request(model, { runMs: 1 });
    pool.advance(10_000);

    expect(actorRows(pool.scheduler).map(({ id, chart, state }) => [id, chart, state])).to.deep.equal([
      ['scheduler', 'scheduler', 'running'],
      ['model:a', 'model', 'requests.none process.serving loads.allowed device.shared place.held pin.free'],
      ['devices', 'devices', 'resting'],
      ['runner-1', 'runner', 'alive.loaded.idle.counting'],
    ]);
  });

  it('has the state before and after each event, and the transitions in between', () => {
    const { pool, model } = poolWithModel();
    const { events } = followed(pool);
    pool.request(model, { runMs: 1_000 });
    pool.advance(10_000);
    pool.scheduler.send({ type: 'model.unload', model: 'a', drainMs: Infinity });
    pool.advance(10_000);
    const moves = events
      .filter(({ to, effect }) => to === 'runner-1' && effect.took.length > 0)
      .map(({ effect: { took, after } }) => `${took.join(' > ')} > ${after}`);

    // It looks for its memory several times.
    expect([...new Set(moves)]).to.deep.equal([
      'alive.loading process.started 0 > alive.loading.warming.waiting',
      'alive.loading.warming xstate.done.actor.readiness 1 > alive.loaded.idle.resting always 1 > alive.loaded.idle.counting',
      'alive.loaded.idle door.entered 0 > alive.loaded.ready',
      'alive.loaded.ready door.emptied 1 > alive.loaded.idle.counting',
      'alive.loaded.idle runner.expire 0 > alive.loaded.expiring',
      'alive.loaded.expiring door.closed 0 > alive.unloading.deciding always 1 > alive.unloading.ending always 1 > alive.unloading.measuring',
      'alive.unloading.measuring xstate.done.actor.baseline 0 > alive.unloading.terminating',
      'alive.unloading process.exited 0 > vram-recovering.probing',
      'vram-recovering.probing xstate.done.actor.recovery 1 > vram-recovering.waiting',
      'vram-recovering.waiting xstate.after.recoveryPoll.runner.vram-recovering.waiting 0 > vram-recovering.probing',
      'vram-recovering.probing xstate.done.actor.recovery 0 > settled always 1 > gone',
    ]);
  });

  it('has the events that the charts of the models take, told by the scheduler', () => {
    const { pool, model } = poolWithModel();
    const { events } = followed(pool);
    pool.request(aModel('big', 20), { runMs: 500 });
    pool.advance(20_000);
    pool.request(model, { runMs: 500 });
    pool.advance(20_000);
    const moves = events
      .filter(({ from, to }) => from === 'scheduler' && to === 'model:a')
      .map(
        ({ effect: { took, after } }) => `${took.join(' > ')} > ${after?.split(' ').slice(0, 2).join(' ')}`,
      );

    expect(moves).to.deep.equal([
      'requests.none requests.waiting 0 > requests.waiting process.none',
      'requests.waiting memory.claimed 0 > requests.claiming process.none',
      'requests.claiming memory.unclaimed 0 > requests.waiting process.none',
      'process.none process.starting 0 > requests.waiting process.starting',
      'process.starting process.loaded 0 > requests.waiting process.serving',
      'requests.waiting requests.none 0 > requests.none process.serving',
    ]);
  });

  it('names only states and transitions of the charts, each effect going on where the one before ended', () => {
    const { pool, model } = poolWithModel();
    const { events } = followed(pool);
    const big = aModel('big', 20);
    for (let i = 0; i < 5; i++) {
      pool.request(i % 2 ? big : model, { runMs: 500 });
      pool.advance(20_000);
    }
    const charts = allCharts();
    const paths = charts.flatMap(({ states }) => states.map(({ path }) => path));
    const ids = charts.flatMap(({ transitions }) => transitions.map(({ id }) => id));
    const last = new Map<string, string>();
    for (const { to, effect } of events) {
      if (effect.after === null) continue;
      if (last.has(to)) expect(effect.before).to.equal(last.get(to));
      last.set(to, effect.after);
      expect(paths).to.include.members(effect.after.split(' '));
      expect(ids).to.include.members([...effect.took]);
    }

    expect(last.size).to.be.above(5);
  });

  it('has what changed of the context', () => {
    const { pool, model } = poolWithModel();
    const { end } = pool.request(model);
    pool.advance(10_000);
    const { events } = followed(pool);
    const next = pool.request({ ...model, launch: { ...model.launch, slots: 2 } });
    next.cancel();
    end();
    const emptied = events.find(({ type }) => type === 'door.emptied');

    expect(emptied?.effect.changed).to.deep.equal({ reason: ['serving', 'its last lease ended'] });
    expect(events.find(({ type }) => type === 'request.submitted')?.effect.changed).to.deep.equal({
      waiting: [0, 1],
    });
  });

  it('is complete for who began to follow in the middle', () => {
    const { pool, model } = poolWithModel();
    const { end } = pool.request(model);
    pool.advance(10_000);
    const { events } = followed(pool);
    end();

    expect(events.find(({ to }) => to === 'runner-1')?.effect).to.include({
      before: 'alive.loaded.ready',
      after: 'alive.loaded.idle.counting',
    });
  });

  it('ends when nobody follows any more', () => {
    const { pool, model } = poolWithModel();
    const { events, stop } = followed(pool);
    stop();
    pool.request(model);
    pool.advance(10_000);

    expect(events).to.deep.equal([]);
  });
});
