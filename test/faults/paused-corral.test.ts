import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { until } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { StartedCorral } from '../support/started-corral.ts';

const llamaServer = fileURLToPath(new URL('../fixtures/wrong-ends.mjs', import.meta.url));

describe('a Corral that is stopped for longer than its limits, and goes on', function () {
  this.timeout(90_000);
  let models: TestModels;
  let corral: StartedCorral;
  beforeEach(async () => {
    models = await writeModels(['tiny', 'slow']);
    corral = await StartedCorral.with(models.folder, {
      dataFolder: `${models.folder}/data`,
      llamaServer,
      limits: { loadStall: '3s' },
      models: models.config(['tiny', 'slow'], { slow: { args: ['--wrong', 'loads for 8 seconds'] } }),
    });
  });
  afterEach(async () => {
    corral.process.kill('SIGKILL');
    await models.remove();
  });

  /** Longer than a load may give no sign of life, and than a health check may take. */
  const stopForAWhile = async (): Promise<void> => {
    corral.process.kill('SIGSTOP');
    await sleep(6_000);
    corral.process.kill('SIGCONT');
  };

  it('goes on with a load that has shown life meanwhile', async () => {
    const answer = corral.chat('slow');
    await until('it loads', async () => (await corral.status()).runners[0]?.pid !== undefined);

    await stopForAWhile();

    expect((await answer).status, corral.output).to.equal(200);
    expect(corral.told('decision.load')).to.equal(1);
  });

  it('keeps the runners that it had, and answers who asked while it was stopped', async () => {
    expect((await corral.chat('tiny')).status).to.equal(200);
    const before = (await corral.status()).runners.map(({ pid }) => pid);

    corral.process.kill('SIGSTOP');
    const answer = corral.chat('tiny');
    await sleep(6_000);
    corral.process.kill('SIGCONT');

    expect((await answer).status).to.equal(200);
    expect((await corral.status()).runners.map(({ pid }) => pid)).to.deep.equal(before);
  });
});
