import { expect } from 'chai';
import { request } from 'undici';
import { chat, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const TRIES = 5;

describe('the longest wait, on the real clock', () => {
  let models: TestModels;
  let corral: Corral;
  before(async () => (models = await writeModels(['endless'])));
  after(async () => {
    await corral.close();
    await models.remove();
  });

  it('is kept to the moment, and not until the devices are read again', async function () {
    this.timeout(60_000);
    corral = await startCorral('embedded', {
      limits: { wait: '0.3s' },
      models: models.config(['endless'], { endless: { slots: 1, context: 100_000 } }),
    });
    corral.scheduler.send({ type: 'model.load', spec: corral.leases.find('endless') });
    await until('it is loaded', () => corral.status().runners[0]?.state === 'idle');
    const leave = new AbortController();
    const { body } = await request(`${corral.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(chat('endless', { stream: true })),
      signal: leave.signal,
    });
    body.on('data', () => {}).on('error', () => {});

    const waitsMs: number[] = [];
    for (let i = 0; i < TRIES; i++) {
      const askedAtMs = performance.now();
      const { body: answer } = await corral.post('/v1/chat/completions', chat('endless'));
      waitsMs.push(performance.now() - askedAtMs);
      expect(JSON.stringify(answer)).to.match(/waited (?!0 s)[\d.]+ s .*"queue_timeout"/);
    }
    leave.abort();

    expect(Math.min(...waitsMs)).to.be.at.least(300);
    // The devices are read every 5 s: most would wait for that.
    expect(waitsMs.toSorted((a, b) => a - b)[Math.floor(TRIES / 2)]).to.be.lessThan(2_000);
  });
});
