import { expect } from 'chai';
import { Catalogue } from '../../src/catalogue.ts';
import { findModel, nearMisses } from '../../src/config/model-names.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { aGpu, aModel, GIB, Pool, settings } from '../support/pool.ts';
import { valueOf } from './support/samples.ts';

/** The metrics of the real statecharts on modelled devices, in virtual time. */
class Measured {
  readonly pool: Pool;
  readonly #metrics: ReturnType<typeof createMetrics>;

  constructor(options: ConstructorParameters<typeof Pool>[0], names: readonly string[]) {
    this.pool = new Pool(options);
    const entries = names.map((name) => ({
      name,
      aliases: [],
      createdAtSeconds: 0,
      spec: null,
      problem: null,
    }));
    const catalogue = new Catalogue(entries, { find: findModel, nearMisses });
    this.#metrics = createMetrics({
      scheduler: this.pool.scheduler,
      doors: this.pool.doors,
      catalogue,
      version: '1.2.3',
    });
  }

  async value(name: string, labels: Record<string, string> = {}): Promise<number> {
    return valueOf(await this.#metrics.text(), name, labels);
  }
}

describe('the metrics of the scheduler', () => {
  it('count loads, waits, and evictions by why', async () => {
    const measured = new Measured({ devices: [aGpu('CUDA0', 24)] }, ['a', 'b']);
    const { pool } = measured;
    pool.request(aModel('a', 16), { runMs: 10 });
    pool.advance(5_000);
    pool.request(aModel('b', 16), { runMs: 10 });
    pool.advance(90_000);

    expect(await measured.value('corral_loads_total', { model: 'a' })).to.equal(1);
    expect(await measured.value('corral_load_seconds_count', { model: 'b' })).to.equal(1);
    expect(await measured.value('corral_load_seconds_sum', { model: 'a' })).to.be.closeTo(1, 0.1);
    expect(await measured.value('corral_wait_seconds_count', { model: 'a' })).to.equal(1);
    expect(await measured.value('corral_wait_seconds_sum', { model: 'b' })).to.be.greaterThan(1);
    expect(await measured.value('corral_evictions_total')).to.equal(1);
    expect(await measured.value('corral_evictions_total', { model: 'a', code: 'memory_wanted' })).to.equal(1);
    expect(await measured.value('corral_unloads_total', { model: 'a' })).to.equal(1);
  });

  it('tell evictions for other options, and of what was in use, from others', async () => {
    const over = { plan: { ...settings().plan, starvationMs: 1_000 } };
    const measured = new Measured({ devices: [aGpu('CUDA0', 24)], over }, ['a', 'b']);
    const { pool } = measured;
    pool.request(aModel('a', 16), { runMs: 10 });
    pool.advance(5_000);
    pool.request(aModel('a', 16, { context: 8192 }), { runMs: 60_000 });
    pool.advance(5_000);
    pool.request(aModel('b', 16), { runMs: 10 });
    pool.advance(120_000);

    const evicted = (code: string) => measured.value('corral_evictions_total', { model: 'a', code });
    expect(await evicted('other_options')).to.equal(1);
    expect(await evicted('starvation')).to.equal(1);
    expect(await evicted('memory_wanted')).to.deep.equal(NaN);
  });

  it('count refusals and failures by code', async () => {
    const measured = new Measured(
      { devices: [aGpu('CUDA0', 24), aGpu('CPU', 8, { kind: 'cpu', library: 'CPU' })] },
      ['a'],
    );
    const { pool } = measured;
    pool.world.modelOf('a').fault = {
      kind: 'fails-to-load',
      afterMs: 100,
      failure: { code: 'load_failed', message: 'a cannot be loaded' },
    };
    pool.request(aModel('a', 4));
    pool.request(aModel('big', 400));
    pool.advance(10_000);

    expect(await measured.value('corral_refusals_total', { model: 'big', code: 'does_not_fit' })).to.equal(1);
    expect(await measured.value('corral_refusals_total', { model: 'a', code: 'load_failed' })).to.equal(1);
    expect(
      await measured.value('corral_runner_failures_total', { model: 'a', code: 'load_failed' }),
    ).to.equal(1);
  });

  it('show memory, runners, leases and the queue as they are', async () => {
    const measured = new Measured(
      { devices: [aGpu('CUDA0', 24)], over: { deviceLimits: { CUDA0: 20 * GIB } } },
      ['a', 'b'],
    );
    const { pool } = measured;
    const device = pool.world.devices.get('CUDA0');
    if (device) device.othersBytes = 2 * GIB;
    const request = pool.request(aModel('a', 16));
    pool.advance(10_000);
    pool.request(aModel('b', 16));
    pool.advance(10_000);

    const gib = async (what: string) =>
      (await measured.value(`corral_device_${what}_bytes`, { device: 'CUDA0' })) / GIB;
    expect(await Promise.all(['total', 'limit', 'reserved', 'others', 'free'].map(gib))).to.deep.equal([
      24, 20, 16, 2, 6,
    ]);
    expect(await measured.value('corral_runners', { model: 'a', state: 'ready' })).to.equal(1);
    expect(await measured.value('corral_leases', { model: 'a' })).to.equal(1);
    expect(await measured.value('corral_slots', { model: 'a' })).to.equal(1);
    expect(await measured.value('corral_queue_length', { model: 'a' })).to.equal(0);
    expect(await measured.value('corral_queue_length', { model: 'b' })).to.equal(1);
    expect(await measured.value('corral_queue_oldest_seconds')).to.equal(10);

    if (device) device.fault = 'unknown';
    request.end();
    pool.advance(300_000);

    expect(await gib('free')).to.deep.equal(NaN);
    expect(await measured.value('corral_runners', { model: 'a' })).to.deep.equal(NaN);
    expect(await measured.value('corral_queue_length', { model: 'b' })).to.equal(0);
  });
});
