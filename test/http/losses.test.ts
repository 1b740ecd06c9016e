import { expect } from 'chai';
import type { RequestListener, ServerResponse } from 'node:http';
import { OpenAI } from 'openai';
import type { Failure } from '../../machines/failures.ts';
import { openChat, postChat, until } from './support/clients.ts';
import { SmallDesk } from './support/small-desk.ts';
import { Servers } from './support/started.ts';

const crashed: Failure = { code: 'runner_crashed', message: 'tiny crashed: exit code 139.' };

const event = (content: string): string => `data: {"choices":[{"delta":{"content":"${content}"}}]}\n\n`;

const errorEvent = (failure: Failure): string =>
  `data: {"error":{"message":"${failure.message}","type":"server_error","code":"${failure.code}","param":null}}\n\n`;

/** Ways in which a runner goes before its first byte, as the connection shows them. */
const deaths: readonly { readonly title: string; readonly die: RequestListener }[] = [
  { title: 'closes the connection', die: ({ socket }) => void socket.end() },
  { title: 'resets the connection', die: ({ socket }) => void socket.resetAndDestroy() },
  {
    title: 'closes it after the body is read',
    die: (request) => void request.resume().on('end', () => request.socket.end()),
  },
  {
    title: 'closes it within the headers',
    die: ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\nContent-'),
  },
];

describe('lost runners', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  /** An address where nobody listens any more. */
  const refusingUrl = async (): Promise<string> => {
    const { server, baseUrl } = await servers.upstream(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    return baseUrl;
  };

  const answering = (): Promise<{ baseUrl: string }> =>
    servers.upstream((request, response) => {
      request.resume().on('end', () => response.end('{"ok":true}'));
    });

  describe('before the first byte of the reply', () => {
    for (const { title, die } of deaths) {
      it(`are replaced once when the runner ${title}`, async () => {
        const dying = await servers.upstream(die);
        const desk = new SmallDesk(dying.baseUrl, (await answering()).baseUrl);
        const { baseUrl, lines } = await servers.corral(desk);

        const reply = await postChat(baseUrl);

        expect(await reply.json()).to.deep.equal({ ok: true });
        expect(reply.headers.get('x-corral-runner')).to.equal('runner-1');
        expect(reply.headers.get('x-corral-wait-ms')).to.equal('24');
        await until('its line in the log', () => lines.length === 1);
        expect(lines[0]).to.include({ outcome: 'ok', attempts: 2, runnerId: 'runner-1' });
        expect(desk.leases.map(({ releases }) => releases)).to.deep.equal([1, 1]);
      });
    }

    for (const code of ['stopped', 'shutting_down'] as const)
      it(`are not replaced when they had to go on purpose: ${code}`, async () => {
        const dying = await servers.upstream(({ socket }) => void socket.end());
        const desk = new SmallDesk(dying.baseUrl, (await answering()).baseUrl);
        desk.loss = { code, message: 'tiny was stopped on request.' };
        const { baseUrl } = await servers.corral(desk);

        const reply = await postChat(baseUrl);

        expect(reply.status).to.equal(503);
        expect(await reply.text()).to.contain(code);
        expect(desk.leases).to.have.length(1);
      });

    it('are replaced when nobody listens', async () => {
      const desk = new SmallDesk(await refusingUrl(), (await answering()).baseUrl);
      const { baseUrl } = await servers.corral(desk);

      expect((await postChat(baseUrl)).status).to.equal(200);
      expect(desk.unsettled).to.equal(0);
    });

    it('send the same bytes again', async () => {
      const body = `{"model":"tiny","messages":"${'x'.repeat(3_000_000)}"}`;
      const dying = await servers.upstream(
        (request) => void request.resume().on('end', () => request.socket.end()),
      );
      let received = '';
      const healthy = await servers.upstream((request, response) => {
        request.on('data', (chunk: Buffer) => (received += chunk.toString()));
        request.on('end', () => response.end('{}'));
      });
      const { baseUrl } = await servers.corral(new SmallDesk(dying.baseUrl, healthy.baseUrl));

      expect((await postChat(baseUrl, { body })).status).to.equal(200);
      expect(received === body).to.equal(true);
    });

    it('give up after the second, with the reason', async () => {
      let deathCount = 0;
      const dying = await servers.upstream(({ socket }) => {
        deathCount += 1;
        socket.end();
      });
      const desk = new SmallDesk(dying.baseUrl);
      desk.loss = crashed;
      const { baseUrl, lines } = await servers.corral(desk);

      const reply = await postChat(baseUrl);

      expect(reply.status).to.equal(502);
      expect(await reply.json()).to.deep.equal({
        error: { message: crashed.message, type: 'server_error', code: 'runner_crashed', param: null },
      });
      expect(deathCount).to.equal(2);
      await until('its line in the log', () => lines.length === 1);
      expect(lines[0]).to.include({ outcome: 'upstream-lost', status: 502, attempts: 2, level: 40 });
      expect(desk.leases.map(({ releases }) => releases)).to.deep.equal([1, 1]);
    });

    it('say what is known when the reason is not', async () => {
      const { baseUrl } = await servers.corral(new SmallDesk(await refusingUrl()));

      const reply = await postChat(baseUrl);

      expect(reply.status).to.equal(502);
      expect(await reply.json()).to.have.nested.property(
        'error.message',
        'The runner of tiny closed the connection before its reply was complete.',
      );
    });

    it('are replaced when the scheduler is the first to know', async () => {
      let arrived = 0;
      let left = 0;
      const silent = await servers.upstream((request, response) => {
        arrived += 1;
        request.resume();
        response.on('close', () => (left += 1));
      });
      const desk = new SmallDesk(silent.baseUrl, (await answering()).baseUrl);
      const { baseUrl } = await servers.corral(desk);
      const reply = postChat(baseUrl);
      await until('the request to arrive', () => arrived === 1);

      desk.leases[0]?.lose({ code: 'runner_unresponsive', message: 'tiny is silent.' });

      expect((await reply).status).to.equal(200);
      await until('the silent runner to be left', () => left === 1);
      expect(desk.unsettled).to.equal(0);
    });

    it('are not replaced for a client that has left', async () => {
      let arrived = 0;
      const silent = await servers.upstream(() => void (arrived += 1));
      const desk = new SmallDesk(silent.baseUrl);
      const { port, lines } = await servers.corral(desk);
      const { request } = openChat(port);
      await until('the request to arrive', () => arrived === 1);

      request.destroy();

      await until('its line in the log', () => lines.length === 1);
      expect(lines[0]).to.include({ outcome: 'client-gone', attempts: 1 });
      expect(desk.leases).to.have.length(1);
    });
  });

  describe('within the reply', () => {
    /** A stream that has sent one event, and then waits for the test. */
    const streaming = async (first: string = event('one')) => {
      const open: ServerResponse[] = [];
      const upstream = await servers.upstream((request, response) => {
        request.resume();
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(first);
        open.push(response);
      });
      const desk = new SmallDesk(upstream.baseUrl);
      desk.loss = crashed;
      const corral = await servers.corral(desk);
      return { desk, ...corral, die: () => open[0]?.socket?.destroy() };
    };

    it('end an event stream with an error event and no [DONE]', async () => {
      const { baseUrl, desk, lines, die } = await streaming();
      const reply = await postChat(baseUrl);

      die();

      expect(await reply.text()).to.equal(event('one') + errorEvent(crashed));
      await until('its line in the log', () => lines.length === 1);
      expect(lines[0]).to.include({ outcome: 'upstream-lost', status: 200, attempts: 1 });
      expect(desk.leases.map(({ releases }) => releases)).to.deep.equal([1]);
    });

    it('end an event that was cut before the error event begins', async () => {
      const { baseUrl, die } = await streaming('data: {"choi');
      const reply = await postChat(baseUrl);

      die();

      expect(await reply.text()).to.equal(`data: {"choi\n\n${errorEvent(crashed)}`);
    });

    it('end an event stream in the same way when the scheduler is the first to know', async () => {
      const { baseUrl, desk } = await streaming();
      const reply = await postChat(baseUrl);
      const failure: Failure = { code: 'runner_unresponsive', message: 'tiny is silent.' };

      desk.leases[0]?.lose(failure);

      expect(await reply.text()).to.equal(event('one') + errorEvent(failure));
      expect(desk.unsettled).to.equal(0);
    });

    it("are an error to OpenAI's own client", async () => {
      const { baseUrl, die } = await streaming();
      const client = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: 'none', maxRetries: 0 });
      const stream = await client.chat.completions.create({ model: 'tiny', messages: [], stream: true });
      const heard: (string | null | undefined)[] = [];

      let caught: unknown;
      try {
        for await (const chunk of stream) {
          heard.push(chunk.choices[0]?.delta.content);
          die();
        }
      } catch (error) {
        caught = error;
      }

      expect(heard).to.deep.equal(['one']);
      expect(caught).to.be.instanceOf(OpenAI.APIError).and.to.include({ code: 'runner_crashed' });
    });

    it('break the connection of any other reply', async () => {
      const upstream = await servers.upstream((request, response) => {
        request.resume();
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
          .write('{"id":');
        setImmediate(() => response.socket?.destroy());
      });
      const desk = new SmallDesk(upstream.baseUrl);
      const { port, lines } = await servers.corral(desk);

      const reply = await openChat(port).reply;
      const error = await new Promise<unknown>((resolve) =>
        reply.resume().on('error', resolve).on('end', resolve),
      );

      expect(error).to.include({ code: 'ECONNRESET' });
      expect(reply.complete).to.equal(false);
      await until('its line in the log', () => lines.length === 1);
      expect(lines[0]).to.include({ outcome: 'upstream-lost', attempts: 1 });
      expect(desk.unsettled).to.equal(0);
    });
  });
});
