import { expect } from 'chai';
import { Ollama } from 'ollama';
import { runtimes, startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

describe("Ollama's format", () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny']);
  });
  after(() => models.remove());

  for (const runtime of runtimes)
    describe(`on ${runtime}`, function () {
      this.timeout(30_000);
      let corral: Corral;
      let client: Ollama;
      before(async () => {
        corral = await startCorral(runtime, { models: models.config(['tiny']) });
        client = new Ollama({ host: corral.url });
      });
      after(() => corral.close());

      for (const { title, format } of [
        { title: '"json"', format: 'json' },
        { title: 'an empty schema', format: {} },
      ]) {
        const common = { model: 'tiny', format, options: { temperature: 0, num_predict: 64 } };
        const asks = {
          chat: async () =>
            (await client.chat({ ...common, messages: [{ role: 'user', content: 'hi' }] })).message.content,
          generate: async () => (await client.generate({ ...common, prompt: 'hi' })).response,
          'raw generate': async () =>
            (await client.generate({ ...common, prompt: 'hi', raw: true })).response,
        };
        for (const [name, ask] of Object.entries(asks))
          if (runtime === 'llama-server')
            it(`${title} lets ${name} answer with a JSON object only`, async () => {
              expect(JSON.parse((await ask()) ?? '')).to.be.an('object');
            });
          else
            it(`${title} is refused for ${name}, and not passed over in silence`, async () => {
              const error: unknown = await ask().catch((thrown: unknown) => thrown);

              expect(error).to.have.property('status_code', 501);
              expect(String(error)).to.match(/use llama-server/);
            });
      }
    });
});
