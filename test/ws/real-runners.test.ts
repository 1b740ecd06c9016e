import { expect } from 'chai';
import { WebSocket } from 'ws';
import { connect, type CorralClient, type Entry, type Row } from '../../src/client/client.ts';
import { chat, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

describe('the WebSocket API of a running Corral', () => {
  let models: TestModels;
  let corral: Corral;
  let client: CorralClient;
  let runners: readonly Row<'runners'>[] = [];
  let queue: readonly Row<'queue'>[] = [];
  let devices: readonly Row<'devices'>[] = [];
  let decisions: readonly Entry<'decisions'>[] = [];
  before(async function () {
    this.timeout(30_000);
    models = await writeModels(['tiny', 'other']);
    const memory = { memory: '400MiB' };
    corral = await startCorral('embedded', {
      devices: { CPU: { memory: '500MiB' } },
      models: models.config(['tiny', 'other'], { tiny: memory, other: memory }),
    });
    client = connect(corral.url, { WebSocket });
    client.subscribe('runners', {}, (rows) => (runners = rows));
    client.subscribe('queue', {}, (rows) => (queue = rows));
    client.subscribe('devices', {}, (rows) => (devices = rows));
    client.subscribe('decisions', {}, ({ entries }) => (decisions = entries));
    await client.opened();
  });
  after(async function () {
    this.timeout(30_000);
    const states: string[] = [];
    client.onState((state) => states.push(state));
    await corral.close();
    await until('the end is told', () => states.includes('waiting'));
    client.close();
    await models.remove();
  });

  const only = (): Row<'runners'> | undefined => (runners.length === 1 ? runners[0] : undefined);

  it('shows a load, with its log and its terminal', async () => {
    const lines: string[] = [];
    const events: string[] = [];
    let terminal = '';
    client.subscribe('events', {}, ({ entries }) => {
      events.splice(0, Infinity, ...entries.map(({ to, type }) => `${to} ${type}`));
    });
    client.subscribe('log', { model: 'tiny' }, ({ entries }) => {
      lines.splice(0, Infinity, ...entries.map(({ text }) => text));
    });
    const states: string[] = [];
    client.subscribe('runners', {}, (rows) => {
      const state = rows[0]?.state;
      if (state && states.at(-1) !== state) states.push(state);
      if (states.length === 1 && state && terminal === '') {
        terminal = ' ';
        client.subscribe(
          'terminal',
          { runnerId: rows[0]?.id ?? '' },
          ({ entries }) => (terminal = entries.join('')),
        );
      }
    });
    const loaded = await client.command('model.load', { model: 'tiny', wait: true });
    expect(loaded.runners).to.deep.equal(['runner-1']);
    await until('it is seen to be idle', () => only()?.state === 'idle');
    await until('its log is here', () => lines.some((line) => line.includes('listening on')));

    expect(states[0]).to.equal('loading');
    expect(terminal).to.match(/listening on .*\r\n/);
    expect(events).to.include.members(['scheduler model.load', 'runner-1 process.started']);
  }).timeout(30_000);

  it('shows an eviction, and who waits for it', async () => {
    const seen: string[] = [];
    const stop = client.subscribe('queue', {}, (rows) => seen.push(...rows.map(({ reason }) => reason)));
    expect((await corral.post('/v1/chat/completions', chat('other'))).status).to.equal(200);
    await until('the other is there alone', () => only()?.model === 'other' && only()?.state === 'idle');
    stop();

    expect(seen.length).to.be.above(0);
    expect(queue).to.deep.equal([]);
    expect(decisions.map(({ kind }) => kind)).to.include.members([
      'load',
      'loaded',
      'claim',
      'unload',
      'grant',
    ]);
  }).timeout(30_000);

  it('shows a crash', async () => {
    const pid = only()?.pid ?? 0;
    expect(pid).to.be.above(0);
    process.kill(pid, 'SIGKILL');
    await until('it is gone', () => runners.length === 0);

    await until('it is explained', () =>
      decisions.some(({ kind, model }) => kind === 'failed' && model === 'other'),
    );
  }).timeout(30_000);

  it('adds up to the status', async () => {
    await client.command('model.load', { model: 'tiny', wait: true });
    await until('it is idle', () => only()?.state === 'idle' && corral.status().runners[0]?.state === 'idle');
    const status = corral.status();
    const [runner] = status.runners;
    const [row] = runners;
    if (!row || !runner) return expect.fail('no runner');
    const { since, idleUntil: _, ...told } = row;
    const { sinceMs, idleLeftMs: __, ...known } = runner;

    expect(told).to.deep.equal(known);
    expect(Date.now() - Date.parse(since)).to.be.closeTo(sinceMs, 100);
    await until('the devices are as they are', () =>
      devices.every(({ id, reservedBytes }) =>
        corral.status().devices.some((device) => device.id === id && device.reservedBytes === reservedBytes),
      ),
    );
  }).timeout(30_000);
});
