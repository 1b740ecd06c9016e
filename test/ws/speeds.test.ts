import { expect } from 'chai';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { connect, type CorralClient, type Row } from '../../src/client/client.ts';
import { chat, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

describe('the speed of a runner', function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  let client: CorralClient;
  before(async () => {
    models = await writeModels(['endless']);
    corral = await startCorral('embedded', {
      models: models.config(['endless'], { endless: { context: 100_000 } }),
    });
    client = connect(corral.url, { WebSocket });
    await client.opened();
  });
  after(async () => {
    client.close();
    await corral.close();
    await models.remove();
  });

  it('is told while it generates, and no longer', async () => {
    let speeds: readonly Row<'speeds'>[] = [];
    client.subscribe('speeds', {}, (rows) => (speeds = rows));
    const leaving = new AbortController();
    const reply = await request(`${corral.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(chat('endless', { stream: true })),
      signal: leaving.signal,
    });
    reply.body.resume().on('error', () => {});
    await until('it has a speed', () => speeds.some(({ tokensPerSecond }) => tokensPerSecond > 0));
    expect(speeds.map(({ id }) => id)).to.deep.equal([corral.status().runners[0]?.id]);

    leaving.abort();
    await until('it has none', () => speeds.length === 0);
  });
});
