import { expect } from 'chai';
import type { RequestListener } from 'node:http';
import { defaultHttpLimits } from '../../src/http/limits.ts';
import { until } from '../http/support/clients.ts';
import { SmallDesk } from '../http/support/small-desk.ts';
import { Servers } from '../http/support/started.ts';

const chunk = 'data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n';

describe("losses behind Ollama's API", () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  const chat = async (listener: RequestListener, over: object = {}) => {
    const upstream = await servers.upstream(listener);
    const desk = new SmallDesk(upstream.baseUrl);
    desk.loss = { code: 'runner_crashed', message: 'tiny has crashed.' };
    const { baseUrl } = await servers.corral(desk);
    const reply = await fetch(`${baseUrl}/api/chat`, {
      method: 'POST',
      body: JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'hi' }], ...over }),
    });
    const lines = (await reply.text()).trimEnd().split('\n');
    await until('the lease to be released', () => desk.unsettled === 0);
    return {
      status: reply.status,
      lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
      desk,
    };
  };
  const streaming =
    (...parts: readonly string[]): RequestListener =>
    (request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const part of parts) response.write(part);
      setImmediate(() => response.socket?.destroy());
    };

  it('end a stream with a line that says so', async () => {
    const { status, lines } = await chat(streaming(chunk, 'data: {"cho'));

    expect(status).to.equal(200);
    expect(lines[0]).to.have.nested.property('message.content', 'hello');
    expect(lines.slice(1)).to.deep.equal([{ error: 'tiny has crashed.' }]);
  });

  it('are a 502 where nothing has been sent', async () => {
    const { status, lines } = await chat(
      (request, response) => {
        request.resume();
        response.writeHead(200, { 'content-length': 100 }).write('{');
        setImmediate(() => response.socket?.destroy());
      },
      { stream: false },
    );

    expect(status).to.equal(502);
    expect(lines).to.deep.equal([{ error: 'tiny has crashed.' }]);
  });

  it('are made good by another runner before the first byte', async () => {
    let count = 0;
    const { status, lines, desk } = await chat((request, response) => {
      request.resume();
      if (++count === 1) return void response.socket?.destroy();
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${chunk}data: [DONE]\n\n`);
    });

    expect(status).to.equal(200);
    expect(lines.at(-1)).to.include({ done: true });
    expect(desk.leases).to.have.length(2);
  });

  it("include a runner's own error within its stream, and what is no stream of JSON", async () => {
    const told = await chat((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${chunk}data: {"error":{"message":"out of slots"}}\n\n${chunk}`);
    });
    const garbled = await chat((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${chunk}data: {nonsense\n\ndata: {more\n\n`);
    });

    expect(told.lines.slice(1)).to.deep.equal([{ error: 'out of slots' }]);
    expect(garbled.lines.slice(1)).to.deep.equal([{ error: 'the reply of the runner cannot be understood' }]);
  });

  it('are mended unseen for a client that wants no stream, even in the midst of a stream', async () => {
    let attempts = 0;
    const { status, lines, desk } = await chat(
      (request, response) => {
        attempts += 1;
        request.resume();
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(chunk);
        if (attempts === 1) setImmediate(() => response.socket?.destroy());
        else response.end(`${chunk}data: [DONE]\n\n`);
      },
      { stream: false },
    );

    expect(status).to.equal(200);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.have.nested.property('message.content', 'hellohello');
    expect(desk.leases).to.have.length(2);
  });

  it('of a part of the reply are an error for a client that wants no stream', async () => {
    const answer = (part: string) =>
      chat(
        (request, response) => {
          request.resume();
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.end(`${chunk}${part}\n\n`);
        },
        { stream: false },
      );
    const told = await answer('data: {"error":{"code":500,"message":"out of slots"}}');
    const garbled = await answer('data: {"cho');

    expect([told.status, told.lines]).to.deep.equal([500, [{ error: 'out of slots' }]]);
    expect([garbled.status, garbled.lines]).to.deep.equal([
      502,
      [{ error: 'the reply of the runner cannot be understood' }],
    ]);
  });

  it('hold no bytes of requests that have ended', async () => {
    const upstream = await servers.upstream((request, response) => {
      request.resume();
      response.end('{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}');
    });
    const maxHeldBytes = 30_000;
    const { baseUrl } = await servers.corral(new SmallDesk(upstream.baseUrl), {
      limits: { ...defaultHttpLimits, maxHeldBytes },
    });
    const body = JSON.stringify({
      model: 'tiny',
      stream: false,
      messages: [{ role: 'user', content: 'x'.repeat(20_000) }],
    });

    for (let i = 0; i < 5; i += 1)
      expect((await fetch(`${baseUrl}/api/chat`, { method: 'POST', body })).status).to.equal(200);
  });
});
