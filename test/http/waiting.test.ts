import { expect } from 'chai';
import OpenAI from 'openai';
import type { RequestListener } from 'node:http';
import type { Failure } from '../../machines/failures.ts';
import { ServiceError } from '../../src/errors.ts';
import type { WaitProgress } from '../../src/wait-progress.ts';
import { startCorral } from '../support/corral.ts';
import { writeModels } from '../support/models.ts';
import { chatBody, openChat, until } from './support/clients.ts';
import { SmallDesk } from './support/small-desk.ts';
import { Servers } from './support/started.ts';

const chunk = 'data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n';
const served = ': x-corral-runner: runner-0\n: x-corral-wait-ms: 12\n: x-corral-load-ms: 3\n\n';
const comments = /^(?:: waiting\n\n)+/;

const streaming: RequestListener = (request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`${chunk}data: [DONE]\n\n`);
};

describe('waiting clients', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  /** Corral whose desk grants no lease until it is opened, and whose signs come quickly. */
  const closed = async (listener: RequestListener = streaming) => {
    const upstream = await servers.upstream(listener);
    const desk = new SmallDesk(upstream.baseUrl);
    let open = (): void => undefined;
    desk.open = new Promise((resolve) => (open = resolve));
    const limits = { waitSignEveryMs: 10, progressEveryMs: 10 };
    return { desk, open, ...(await servers.corral(desk, { limits })) };
  };
  /** Sends a request, and reads its reply as it comes. */
  const ask = async (url: string, body: string, headers: Record<string, string> = {}) => {
    const reply = await fetch(url, { method: 'POST', body, headers });
    const heard = { reply, text: '' };
    const whole = (async () => {
      const decoder = new TextDecoder();
      for await (const part of reply.body ?? []) heard.text += decoder.decode(part as Uint8Array);
      return heard.text;
    })();
    whole.catch(() => undefined);
    return Object.assign(heard, { whole });
  };
  const twoSigns = (heard: { readonly text: string }) =>
    until('two signs', () => heard.text.split('\n\n').length > 2);
  const streamed = chatBody({ stream: true });

  it('get comments until their stream begins, and then the stream as it is', async () => {
    const { baseUrl, open, lines } = await closed();

    const heard = await ask(`${baseUrl}/v1/chat/completions`, streamed);
    await twoSigns(heard);
    open();
    const text = await heard.whole;

    expect(heard.reply.status).to.equal(200);
    expect(heard.reply.headers.get('content-type')).to.equal('text/event-stream');
    expect(heard.reply.headers.get('x-accel-buffering')).to.equal('no');
    expect(text).to.match(comments);
    expect(text.replace(comments, '')).to.equal(`${served}${chunk}data: [DONE]\n\n`);
    await until('its line in the log', () => lines.length === 1);
    expect(lines[0]).to.include({ outcome: 'ok', status: 200 });
  });

  it('get nothing of the kind when the model is there', async () => {
    const { baseUrl, open } = await closed();
    open();

    const heard = await ask(`${baseUrl}/v1/chat/completions`, streamed);

    expect(await heard.whole).to.equal(`${chunk}data: [DONE]\n\n`);
    expect(heard.reply.headers.get('x-corral-runner')).to.equal('runner-0');
  });

  it('get no signs where there is no stream', async () => {
    for (const [path, body] of [
      ['/v1/chat/completions', chatBody()],
      ['/v1/embeddings', streamed],
    ] as const) {
      const { baseUrl, desk, open } = await closed((request, response) => {
        request.resume();
        response.end('{}');
      });
      const reply = ask(baseUrl + path, body);
      await until('it to wait', () => desk.waiting === 1);
      setTimeout(open, 40);

      const heard = await reply;

      expect(heard.reply.headers.get('x-corral-runner')).to.equal('runner-0');
      expect(await heard.whole).to.equal('{}');
    }
  });

  it('hear of their progress when they ask', async () => {
    const { baseUrl, desk, open } = await closed();
    const progress: WaitProgress = {
      state: 'loading',
      position: 3,
      progress: 0.4,
      reason: 'tiny is loading (40 %)',
    };
    desk.progress = progress;

    const heard = await ask(`${baseUrl}/v1/chat/completions`, streamed, { 'x-corral-progress': '1' });
    await twoSigns(heard);
    open();

    expect((await heard.whole).split('\n\n')[0]).to.equal(
      `event: corral.progress\ndata: ${JSON.stringify(progress)}`,
    );
  });

  const failure: Failure = { code: 'load_failed', message: 'tiny could not be loaded.' };
  const failures = [
    {
      path: '/v1/chat/completions',
      event:
        'data: {"error":{"message":"tiny could not be loaded.","type":"server_error","code":"load_failed","param":null}}\n\n',
    },
    {
      path: '/v1/messages',
      event:
        'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"tiny could not be loaded."}}\n\n',
    },
    {
      path: '/completion',
      event: 'data: {"error":{"code":500,"message":"tiny could not be loaded.","type":"server_error"}}\n\n',
    },
  ];
  for (const { path, event } of failures)
    it(`hear of a failure as an event of ${path}`, async () => {
      const { baseUrl, desk, lines } = await closed();
      let fail: (error: Error) => void = () => undefined;
      desk.open = new Promise((_, reject) => (fail = reject));

      const heard = await ask(baseUrl + path, streamed);
      fail(new ServiceError(failure));

      expect((await heard.whole).replace(comments, '')).to.equal(event);
      await until('its line in the log', () => lines.length === 1);
      expect(lines[0]).to.include({ outcome: 'refused' });
    });

  it("hear of the runner's refusal as an event", async () => {
    const { baseUrl, open } = await closed((request, response) => {
      request.resume();
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}');
    });

    const heard = await ask(`${baseUrl}/v1/messages`, streamed);
    open();

    expect((await heard.whole).replace(comments, '')).to.equal(
      `${served}event: error\ndata: {"type":"error","error":{"type":"invalid_request_error","message":"too long"}}\n\n`,
    );
  });

  it('hear of a lost runner as an event, before its reply and within', async () => {
    for (const sent of ['', 'data: {"cho']) {
      const { baseUrl, desk, open } = await closed((request, response) => {
        request.resume();
        if (sent) response.writeHead(200, { 'content-type': 'text/event-stream' }).write(sent);
        setImmediate(() => response.socket?.destroy());
      });
      desk.loss = { code: 'runner_crashed', message: 'tiny has crashed.' };

      const heard = await ask(`${baseUrl}/v1/chat/completions`, streamed);
      open();

      expect(await heard.whole).to.match(
        sent
          ? /\n\ndata: \{"cho\n\ndata: \{"error":\{"message":"tiny has crashed\.".*\n\n$/
          : /: waiting\n\ndata: \{"error":\{"message":"tiny has crashed\.".*\n\n$/,
      );
      expect(desk.unsettled).to.equal(0);
    }
  });

  it('leave nothing behind when they go', async () => {
    const { port, desk, lines } = await closed();
    const { request, reply } = openChat(port, streamed);
    await new Promise((resolve) => void reply.then((body) => body.once('data', resolve)));

    request.destroy();

    await until('its line in the log', () => lines.length === 1);
    expect(lines[0]).to.include({ outcome: 'client-gone' });
    expect(desk).to.include({ waiting: 0, withdrawn: 1 });
  });

  it("are served by OpenAI's own client, signs or not", async () => {
    const { baseUrl, open } = await closed();
    const client = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: 'none', maxRetries: 0 });

    const stream = await client.chat.completions.create({ model: 'tiny', messages: [], stream: true });
    setTimeout(open, 40);
    const heard: (string | null | undefined)[] = [];
    for await (const part of stream) heard.push(part.choices[0]?.delta.content);

    expect(heard).to.deep.equal(['hello']);
  });

  it('can ask how far they have come', async function () {
    this.timeout(30_000);
    const models = await writeModels(['tiny']);
    const corral = await startCorral('embedded', { models: models.config(['tiny']) });
    const seen: (WaitProgress | null)[] = [];
    let id = '';
    const { signal } = new AbortController();

    const first = corral.leases.acquire({ model: 'tiny' }, signal);
    const second = corral.leases.acquire({ model: 'tiny', onQueued: (queued) => (id = queued) }, signal);
    await until('the load to begin', () => {
      seen.push(corral.leases.progressOf(id));
      return seen.at(-1)?.state === 'loading';
    });
    const leases = await Promise.all([first, second]);
    const after = corral.leases.progressOf(id);
    for (const lease of leases) lease.release();
    await corral.close();
    await models.remove();

    expect(seen.at(-1)).to.include({ state: 'loading', position: 2 });
    expect(seen.at(-1)?.reason).to.match(/^tiny is loading/);
    expect(after).to.equal(null);
  });
});
