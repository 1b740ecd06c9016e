import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'chai';
import OpenAI from 'openai';
import type { FailureCode } from '../../machines/failures.ts';
import { ServiceError } from '../../src/errors.ts';
import { SmallDesk } from '../http/support/small-desk.ts';
import { Servers } from '../http/support/started.ts';

/** How often a client that may try once more asks in all. */
const requestsAfter: Record<FailureCode, 1 | 2> = {
  model_not_found: 1,
  model_file_missing: 1,
  model_file_invalid: 1,
  does_not_fit: 1,
  devices_unavailable: 2,
  paused: 2,
  no_room: 1,
  queue_full: 2,
  queue_timeout: 2,
  spawn_failed: 1,
  load_out_of_memory: 1,
  load_stalled: 1,
  load_failed: 1,
  runner_crashed: 1,
  runner_unresponsive: 1,
  stopped: 2,
  shutting_down: 2,
  out_of_memory: 1,
  withdrawn: 1,
};

const messages = [{ role: 'user' as const, content: 'hi' }];

describe('clients that try again by themselves', function () {
  this.timeout(60_000);
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  const start = async (desk: SmallDesk) => {
    const { baseUrl } = await servers.corral(desk);
    const options = { apiKey: 'unused', maxRetries: 1, timeout: 30_000 };
    return {
      openai: new OpenAI({ ...options, baseURL: `${baseUrl}/v1` }),
      anthropic: new Anthropic({ ...options, baseURL: baseUrl }),
    };
  };

  for (const [code, expected] of Object.entries(requestsAfter))
    it(`ask ${expected === 1 ? 'once' : 'once more'} after ${code}`, async () => {
      const desk = new SmallDesk();
      const { openai, anthropic } = await start(desk);
      desk.refusal = new ServiceError({
        code: code as FailureCode,
        message: 'no',
        ...(expected === 2 && { retryAfterSeconds: 1 }),
      });

      const asked = await Promise.allSettled([
        openai.chat.completions.create({ model: 'tiny', messages }),
        anthropic.messages.create({ model: 'tiny', max_tokens: 5, messages }),
      ]);

      expect(asked.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
      expect(desk.requests).to.have.length(2 * expected);
    });

  it('ask again after any failure that says when', async () => {
    const desk = new SmallDesk();
    const { openai } = await start(desk);
    desk.refusal = new ServiceError({ code: 'load_failed', message: 'no', retryAfterSeconds: 1 });

    await openai.chat.completions.create({ model: 'tiny', messages }).catch(() => {});

    expect(desk.requests).to.have.length(2);
  });

  it('ask once for what a model was not started for', async () => {
    let requests = 0;
    const upstream = await servers.upstream((request, response) => {
      requests += 1;
      request.resume();
      response.statusCode = 501;
      response.end('{"error":{"code":501,"message":"no embeddings","type":"not_supported_error"}}');
    });
    const { openai } = await start(new SmallDesk(upstream.baseUrl));

    const error: unknown = await openai.embeddings.create({ model: 'tiny', input: 'x' }).catch((e) => e);

    expect(error).to.be.instanceOf(OpenAI.APIError).with.property('status', 501);
    expect(requests).to.equal(1);
  });

  it('ask once for what Corral does not do', async () => {
    const { openai } = await start(new SmallDesk());
    const replies: (string | null)[] = [];
    const tell = openai.withOptions({
      fetch: async (url, init) => {
        const reply = await fetch(url, init);
        replies.push(reply.headers.get('x-should-retry'));
        return reply;
      },
    });

    await tell.post('/../api/push', { body: {} }).catch(() => {});

    expect(replies).to.deep.equal(['false']);
  });
});
