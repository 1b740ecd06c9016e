import { expect } from 'chai';
import { request } from 'undici';
import { realLlamaServer, runtimes, startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

describe('paths of a runner', () => {
  let models: TestModels;
  before(async () => {
    models = await writeModels(['tiny', 'other']);
  });
  after(() => models.remove());

  for (const runtime of runtimes)
    describe(`on ${runtime}`, () => {
      let corral: Corral;
      before(async function () {
        this.timeout(30_000);
        corral = await startCorral(runtime, { models: models.config(['tiny', 'other']) });
      });
      after(() => corral.close());

      const get = async (path: string): Promise<{ status: number; text: string }> => {
        const { statusCode, body } = await request(corral.url + path);
        return { status: statusCode, text: await body.text() };
      };

      it('look at a model only when it is loaded', async function () {
        this.timeout(30_000);
        const cold = await get('/props?model=other');
        expect(cold.status).to.equal(409);
        expect(corral.status().runners).to.deep.equal([]);

        const loaded = await get('/props?model=other&autoload=true');
        expect(JSON.parse(loaded.text)).to.include({ model_alias: 'other' });
        const slots = JSON.parse((await get('/slots?model=other')).text) as unknown[];
        expect(slots).to.have.length(2);
        expect((await get('/slots?model=nobody')).status).to.equal(404);
      });

      it('are answered to HEAD, and their page is had where the process has one', async function () {
        this.timeout(30_000);
        await corral.post('/tokenize', { model: 'tiny', content: 'x' });
        const head = async (path: string) =>
          (await request(corral.url + path, { method: 'HEAD' })).statusCode;

        for (const path of ['/props?model=tiny', '/slots?model=tiny', '/metrics?model=tiny', '/metrics'])
          expect(await head(path), path).to.equal(200);
        // Built without its page in the tests, as the embedded runner is: what counts is that its own answer comes.
        const page = await request(`${corral.url}/upstream/tiny/`);
        expect(page.headers['x-corral-runner']).to.be.a('string');
        await page.body.dump();
      });

      it('take a model from the body, the query and the path', async function () {
        this.timeout(30_000);
        for (const [path, body] of [
          ['/tokenize', { model: 'tiny', content: 'this is' }],
          ['/tokenize?model=tiny', { content: 'this is' }],
          ['/upstream/tiny/tokenize', { content: 'this is' }],
        ] as const)
          expect((await corral.post(path, body)).body['tokens'], path).to.have.length(5);
        expect((await get('/upstream/tiny/v1/models')).text).to.contain('"id":"tiny"');
      });

      it("pass on the runner's own answer to what it lacks", async function () {
        this.timeout(30_000);
        const reply = await corral.post('/v1/rerank', { model: 'tiny', query: 'x', documents: ['y'] });

        expect(reply.status).to.be.oneOf([404, 501]);
        expect(reply.headers['x-corral-runner']).to.be.a('string');
      });

      if (realLlamaServer !== null && runtime === 'llama-server')
        it("speak Anthropic's messages and OpenAI's responses", async function () {
          this.timeout(30_000);
          const messages = [{ role: 'user', content: 'hi' }];
          const whole = await corral.post('/v1/messages', {
            model: 'tiny',
            max_tokens: 9,
            temperature: 0,
            messages,
          });
          const stream = await corral.post('/v1/messages', {
            model: 'tiny',
            max_tokens: 9,
            temperature: 0,
            stream: true,
            messages,
          });
          const response = await corral.post('/v1/responses', { model: 'tiny', temperature: 0, input: 'hi' });
          const counted = await corral.post('/v1/messages/count_tokens', { model: 'tiny', messages });

          expect(whole.text).to.contain('this is tiny speaking');
          expect(stream.text).to.match(/^event: message_start[^]*event: message_stop/);
          expect(response.text).to.contain('this is tiny speaking');
          expect(counted.body['input_tokens']).to.be.a('number');
        });
    });
});
