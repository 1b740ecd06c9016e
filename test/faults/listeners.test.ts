import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { chat, startCorral, until } from '../support/corral.ts';
import { hearLog } from '../support/heard.ts';
import { writeModels } from '../support/models.ts';

const llamaServer = fileURLToPath(new URL('../fixtures/wrong-ends.mjs', import.meta.url));

describe('a listener that throws', () => {
  it('is told of, and hurts neither the scheduler nor a runner that it listens to', async function () {
    this.timeout(40_000);
    const models = await writeModels(['tiny']);
    const heard = hearLog();
    const corral = await startCorral(
      'llama-server',
      { llamaServer, models: models.config(['tiny']) },
      { log: heard.log },
    );
    const thrown = (what: string) => (): never => {
      throw new Error(`thrown ${what}`);
    };
    try {
      corral.scheduler.on('decision', thrown('by a listener'));
      corral.scheduler.subscribe(thrown('by a subscriber'));
      corral.scheduler.system.inspect(thrown('by an inspector'));
      corral.logs.subscribe('runner-1', thrown('by a reader of lines'));
      corral.logs.subscribeTerminal('runner-1', thrown('by a reader of the terminal'));

      expect((await corral.post('/v1/chat/completions', chat('tiny'))).status).to.equal(200);
      corral.scheduler.send({ type: 'model.unload', model: 'tiny', drainMs: 1 });
      await until('it is gone', () => corral.status().runners.length === 0);

      const told = JSON.stringify(heard.of('listener.broke'));
      for (const who of ['listener', 'subscriber', 'inspector', 'reader of lines', 'reader of the terminal'])
        expect(told).to.contain(who);
    } finally {
      await corral.close();
      await models.remove();
    }
  });
});
