import { expect } from 'chai';
import { aModel, settings } from '../support/pool.ts';
import { Managed } from './support/managed.ts';

describe('devices that are given to something else', () => {
  let managed: Managed;
  beforeEach(async () => {
    managed = await Managed.of([aModel('a', 16), aModel('b', 16)]);
  });

  it('let their runners finish and go, pinned ones too, and get them back', async () => {
    const { pool } = managed;
    const stateOf = async (): Promise<string> => (await managed.get('/models/a')).body.state;
    await managed.post('/models/a/pin', { pinned: true });
    pool.advance(10_000);
    const lease = pool.request(aModel('a', 16));
    pool.advance(1_000);

    const told = await managed.post('/devices/pause', {});
    pool.advance(1_000);

    expect(told.status).to.equal(202);
    expect(told.body.devices).to.have.length(1);
    expect(told.body.devices[0]).to.include({ id: 'CUDA0', pause: 'queueing' });
    expect(await stateOf()).to.equal('expiring');
    lease.end();
    pool.advance(60_000);
    expect(await stateOf()).to.equal('unloaded');
    const { reason, next } = (await managed.get('/explain/a')).body;
    expect(reason).to.equal('CUDA0 is paused: corral resume CUDA0');
    expect(next).to.contain('given back');

    const resumed = await managed.post('/devices/resume', {});
    pool.advance(10_000);

    expect(resumed.body.devices[0]).to.include({ id: 'CUDA0', pause: null });
    expect(await stateOf()).to.equal('idle');
  });

  it('refuse requests where that was told, and have them wait where not', async () => {
    const { pool } = managed;
    const refused: string[] = [];
    pool.doors.on('refused', ({ failure }) => refused.push(`${failure.code}: ${failure.message}`));
    await managed.post('/devices/pause', { devices: ['CUDA0'] });
    pool.request(aModel('a', 16));
    expect((await managed.get('/queue')).body.queue[0].reason).to.contain('CUDA0 is paused');
    expect(refused).to.deep.equal([]);

    await managed.post('/devices/pause', { devices: ['CUDA0'], refuse: true });
    pool.request(aModel('b', 16));

    expect(refused).to.have.length(2);
    expect(refused[0]).to.match(/^paused: a cannot be loaded now: CUDA0 is paused/);
    expect((await managed.get('/queue')).body.queue).to.deep.equal([]);
  });

  it('have to be there', async () => {
    const { status, body } = await managed.post('/devices/pause', { devices: ['CUDA1'] });

    expect(status).to.equal(404);
    expect(body.code).to.equal('device_not_found');
    expect(body.detail).to.contain('CUDA0');
  });

  it('are paused by no settings of their own: a new configuration leaves them as they are', async () => {
    const { pool } = managed;
    await managed.post('/devices/pause', {});
    const change = { settings: settings(), changed: [], removed: [], preload: [] };
    pool.scheduler.send({ type: 'config.changed', change });
    pool.advance(60_000);

    expect((await managed.get('/devices')).body.devices[0].pause).to.equal('queueing');
  });
});
