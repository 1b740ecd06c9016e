import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { request } from 'undici';
import { askRunner } from '../../actors/process/ask-runner.ts';
import { chat, realLlamaServer, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { ledgerOf } from '../../src/ledger-of.ts';

const fake = fileURLToPath(new URL('../fixtures/fake-llama-server.mjs', import.meta.url));

describe('a client that leaves while its runner works on', function () {
  this.timeout(90_000);
  let models: TestModels;
  let corral: Corral;
  before(async () => {
    models = await writeModels(['tiny', 'endless']);
  });
  after(() => models.remove());
  afterEach(() => corral.close());

  const ask = (path: string, body: object, signal?: AbortSignal) =>
    request(corral.url + path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      headersTimeout: 0,
      ...(signal && { signal }),
    });
  /** Asks the runner itself, past Corral. */
  const askThere = async (path: string): Promise<unknown> => {
    const { endpoint } = [...ledgerOf(corral.scheduler).runners.values()][0] ?? {};
    if (!endpoint) throw new Error('nothing is loaded');
    const question = { path, withKey: true, signal: AbortSignal.timeout(60_000) };
    return askRunner(endpoint, question, ({ body }) => body.json());
  };
  const working = async (): Promise<number> =>
    ((await askThere('/slots')) as { is_processing: boolean }[]).filter((slot) => slot.is_processing).length;
  /** Sends a request, and leaves once its runner works on it. */
  const abandon = async (path: string, body: object, worksThen = 1): Promise<void> => {
    const stop = new AbortController();
    const asked = ask(path, body, stop.signal).then(({ body: reply }) => reply.text());
    await until('a runner is loaded', () => corral.status().runners[0]?.state === 'ready');
    await until('its slot works', async () => (await working()) === worksThen);
    stop.abort();
    await asked.catch(() => {});
  };

  describe('on a llama-server that notices it late', () => {
    beforeEach(async () => {
      corral = await startCorral('llama-server', {
        llamaServer: fake,
        defaults: { slots: 1, args: ['--fake', 'notices-late'] },
        models: models.config(['tiny']),
      });
    });

    it('costs its slot until that is free: the next request waits in the queue, and is told so', async () => {
      await abandon('/v1/chat/completions', chat('tiny'));

      const next = ask('/v1/chat/completions', chat('tiny'));
      await until('the next one waits', () => corral.leases.counts.waiting === 1);
      const busyMeanwhile = await working();
      await askThere('/finish');
      await until('the next one is at work', async () => (await working()) === 1);
      await askThere('/finish');
      const { statusCode, headers } = await next;

      expect(busyMeanwhile).to.equal(1);
      expect(statusCode).to.equal(200);
      expect(Number(headers['x-corral-wait-ms'])).to.be.greaterThan(0);
    });

    it('keeps no runner: a model that is stopped goes at once', async () => {
      await abandon('/v1/chat/completions', chat('tiny'));

      await corral.post('/api/v1/models/tiny/unload', {});

      await until('the runner is gone', () => corral.status().runners.length === 0, 5_000);
      expect(corral.leases.counts).to.deep.equal({ waiting: 0, held: 0 });
    });
  });

  if (realLlamaServer !== null)
    describe('on the real llama-server, beside a stream', () => {
      const body = { ...chat('endless'), prompt: 'hi', max_tokens: 90_000, options: { num_predict: 90_000 } };
      let leaveOther: () => void;
      beforeEach(async () => {
        corral = await startCorral('llama-server', {
          defaults: { context: 100_000 },
          models: models.config(['endless']),
        });
        const other = await ask('/v1/chat/completions', { ...body, stream: true });
        other.body.on('error', () => {}).resume();
        leaveOther = () => void other.body.destroy();
      });

      for (const path of ['/v1/chat/completions', '/v1/messages', '/completion'])
        it(`costs its slot as long as that works: ${path}`, async () => {
          await abandon(path, { ...body, stream: false }, 2);

          for (let look = 0; look < 10; look += 1) {
            const { held } = corral.leases.counts;
            if ((await working()) === 2) expect(held).to.equal(2);
            await delay(200);
          }
          leaveOther();

          await until('both leases have ended', () => corral.leases.counts.held === 0);
          expect(await working()).to.equal(0);
        });

      for (const [path, stream] of [
        ['/v1/chat/completions', true],
        ['/v1/messages', true],
        ['/completion', true],
        ['/api/chat', true],
        ['/api/chat', false],
        ['/api/generate', false],
      ] as const)
        it(`costs one more token: ${path}, ${stream ? '' : 'not '}streamed`, async () => {
          await abandon(path, { ...body, stream }, 2);

          await until('its lease has ended', () => corral.leases.counts.held === 1);

          expect(await working()).to.equal(1);
        });
    });
});
