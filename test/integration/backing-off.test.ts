import { expect } from 'chai';
import { startCorral } from '../support/corral.ts';
import { writeModels } from '../support/models.ts';

describe('a model whose loads keep failing', function () {
  this.timeout(90_000);

  it('says when to come again, to clients of every API', async () => {
    const models = await writeModels(['tiny']);
    const corral = await startCorral('llama-server', {
      // A program that ends at once, and fails.
      llamaServer: '/bin/false',
      models: models.config(['tiny']),
    });
    const ask = (path: string) =>
      corral.post(path, { model: 'tiny', messages: [{ role: 'user', content: 'hi' }], max_tokens: 1 });
    let reply = await ask('/v1/chat/completions');
    // The next tries are further and further apart: up to ten seconds a request waits for one.
    while (!reply.text.includes('is tried again in')) reply = await ask('/v1/chat/completions');

    for (const path of ['/v1/chat/completions', '/v1/messages', '/api/chat', '/models/load']) {
      const { status, headers, text } = await ask(path);
      expect(status, path).to.be.within(500, 599);
      expect(Number(headers['retry-after']), path).to.be.within(1, 60);
      expect(headers['x-should-retry'], path).to.equal('true');
      expect(text, path).to.contain('is tried again in');
    }
    await corral.close();
    await models.remove();
  });
});
