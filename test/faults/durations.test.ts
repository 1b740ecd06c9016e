import { expect } from 'chai';
import { pino } from 'pino';
import { chat, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const HOUR_MS = 3_600_000;
const trueNow = Date.now;

/** What is measured in ms in a line of the log, or in what is told of a runner. */
const durationsIn = (told: object): readonly [string, unknown][] =>
  Object.entries(told).filter(
    ([key, value]) => key.endsWith('Ms') && key !== 'keepAliveMs' && typeof value === 'number',
  );

describe('a time of day that is set anew', function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  let lines: { event?: string }[];
  before(async () => (models = await writeModels(['tiny'])));
  after(() => models.remove());
  beforeEach(async () => {
    lines = [];
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    corral = await startCorral(
      'embedded',
      { models: models.config(['tiny']), defaults: { keepAlive: '1h' } },
      { log },
    );
  });
  afterEach(async () => {
    Date.now = trueNow;
    await corral.close();
  });

  for (const offsetMs of [-HOUR_MS, 24 * HOUR_MS])
    it(`durations in the log and in what is told stay what passed, and no model goes (by ${offsetMs / HOUR_MS} h)`, async () => {
      const startMs = performance.now();
      await corral.post('/v1/chat/completions', chat('tiny'));
      Date.now = () => trueNow() + offsetMs;
      const { status } = await corral.post('/v1/chat/completions', chat('tiny'));
      await until('both are told', () => lines.filter(({ event }) => event === 'request.ended').length === 2);
      const passedMs = performance.now() - startMs;

      expect(status).to.equal(200);
      const { runners, uptimeMs } = corral.status();
      expect(runners.map(({ id }) => id)).to.deep.equal(['runner-1']);
      expect(uptimeMs).to.be.within(0, passedMs + 60_000);
      const { idleLeftMs, ...runner } = runners[0] ?? expect.fail('nothing is loaded');
      expect(idleLeftMs).to.be.within(HOUR_MS - 60_000, HOUR_MS);
      for (const told of [...lines, runner])
        for (const [key, ms] of durationsIn(told)) expect(ms, key).to.be.within(0, passedMs + 60_000);
    });
});
