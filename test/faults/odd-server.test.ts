import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { chat, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const fake = fileURLToPath(new URL('../fixtures/fake-llama-server.mjs', import.meta.url));

/** Kinds of the fake llama-server, and what is told of a request to it. */
const kinds = [
  {
    title: 'a runner that is well by its own account and closes each request',
    kind: 'well-and-dead',
    told: { status: 502, code: 'runner_crashed' },
  },
  {
    title: 'a runner that says that it is ready and then refuses connections',
    kind: 'well-once',
    told: { status: 502, code: 'runner_crashed' },
  },
  {
    title: 'a runner that says for ever that it loads',
    kind: 'never-ready',
    told: { status: 504, code: 'load_stalled' },
  },
] as const;

for (const { title, kind, told } of kinds)
  describe(title, function () {
    this.timeout(60_000);
    let models: TestModels;
    let corral: Corral;
    before(async () => {
      models = await writeModels(['tiny', 'other']);
      corral = await startCorral('llama-server', {
        llamaServer: fake,
        limits: { loadStall: '1s' },
        models: models.config(['tiny', 'other'], { tiny: { args: ['--fake', kind] } }),
      });
    });
    after(async () => {
      await corral.close();
      await models.remove();
    });

    it('has its requests refused with the reason, in the words of each API', async () => {
      const openai = await corral.post('/v1/chat/completions', chat('tiny'));
      const error = openai.body['error'] as unknown as { code: string; message: string };
      expect({ status: openai.status, code: error.code }).to.deep.equal(told);
      expect(error.message).to.contain('tiny');

      const ollama = await corral.post('/api/chat', chat('tiny'));
      expect(ollama.status).to.equal(told.status);
      expect(ollama.body['error']).to.be.a('string').that.contains('tiny');
    });

    it('holds no slot, and no other model up', async () => {
      expect((await corral.post('/v1/chat/completions', chat('other'))).status).to.equal(200);
      await until(
        'no lease is held',
        () => corral.leases.counts.held === 0 && corral.leases.counts.waiting === 0,
      );
      expect(corral.status().state).to.equal('running');
    });
  });
