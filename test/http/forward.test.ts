import { expect } from 'chai';
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { chatBody, openChat, postChat, RawClient, until } from './support/clients.ts';
import { SmallDesk } from './support/small-desk.ts';
import { Servers } from './support/started.ts';

const event = (content: string): string => `data: {"choices":[{"delta":{"content":"${content}"}}]}\n\n`;

describe('forwarding', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  /** Corral in front of one runner. */
  const inFrontOf = async (listener: RequestListener) => {
    const upstream = await servers.upstream(listener);
    const desk = new SmallDesk(upstream.baseUrl);
    return { desk, ...(await servers.corral(desk)) };
  };

  it('passes each chunk on before the next is sent', async () => {
    let upstream: ServerResponse | undefined;
    const { port } = await inFrontOf((request, response) => {
      request.resume();
      upstream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      upstream.flushHeaders();
    });
    const reply = await openChat(port).reply;
    let received = '';
    reply.on('data', (chunk: Buffer) => (received += chunk.toString()));

    for (const content of ['one', 'two', 'three']) {
      upstream?.write(event(content));
      await until(`chunk ${content}`, () => received.endsWith(event(content)));
    }
    upstream?.end('data: [DONE]\n\n');

    await until('the end', () => reply.complete);
    expect(received).to.equal(`${event('one')}${event('two')}${event('three')}data: [DONE]\n\n`);
  });

  it('never sends a request over the connection of a stream, which llama-server closes without a word', async () => {
    const connections = new Set<unknown>();
    const { baseUrl, lines } = await inFrontOf((request, response) => {
      connections.add(request.socket);
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: [DONE]\n\n');
    });

    for (let i = 0; i < 3; i += 1)
      await (await postChat(baseUrl, { body: chatBody({ stream: true }) })).text();

    await until('their lines in the log', () => lines.length === 3);
    expect(connections.size).to.equal(3);
    expect(lines.map(({ attempts }) => attempts)).to.deep.equal([1, 1, 1]);
  });

  it('sends a body of 20 MB on byte for byte, with the model at its very end', async () => {
    const hash = createHash('sha256');
    let length: string | undefined;
    const { baseUrl, desk } = await inFrontOf((request, response) => {
      length = request.headers['content-length'];
      request.on('data', (chunk: Buffer) => hash.update(chunk)).on('end', () => response.end('{}'));
    });
    const image = randomBytes(15 * 1024 ** 2).toString('base64');
    const body = `{ "messages": [{"role":"user","content":"\\" ${image}"}], "stream" :false,\n"model":"tiny"}`;

    const reply = await postChat(baseUrl, { body });

    expect(reply.status).to.equal(200);
    expect(Number(length)).to.equal(body.length).and.to.be.greaterThan(20_000_000);
    expect(hash.digest('hex')).to.equal(createHash('sha256').update(body).digest('hex'));
    expect(desk.requests).to.deep.equal([{ model: 'tiny' }]);
  });

  it('returns status, headers and body as the runner gave them', async () => {
    const sent =
      '{"error":{"code":400,"message":"no messages","type":"invalid_request_error"}, "model": "x/y.gguf"}';
    const { baseUrl } = await inFrontOf((request, response) => {
      request.resume();
      response.writeHead(400, 'Bad Request', {
        'content-type': 'application/json',
        'content-length': sent.length,
        server: 'llama.cpp',
        'set-cookie': ['a=1', 'b=2'],
      });
      response.end(sent);
    });

    const reply = await postChat(baseUrl);

    expect(reply.status).to.equal(400);
    expect(await reply.text()).to.equal(sent);
    expect(reply.headers.get('content-length')).to.equal(String(sent.length));
    expect(reply.headers.get('server')).to.equal('llama.cpp');
    expect(reply.headers.getSetCookie()).to.deep.equal(['a=1', 'b=2']);
  });

  it('tells which runner served, and how long that took', async () => {
    const { baseUrl } = await inFrontOf((request, response) => {
      request.resume();
      response.setHeader('x-corral-runner', 'a lie');
      response.end('{}');
    });

    const { headers } = await postChat(baseUrl);

    expect(headers.get('x-corral-runner')).to.equal('runner-0');
    expect(headers.get('x-corral-wait-ms')).to.equal('12');
    expect(headers.get('x-corral-load-ms')).to.equal('3');
  });

  it('keeps the headers of one connection, and credentials, from the runner', async () => {
    let seen: IncomingHttpHeaders = {};
    let target = '';
    const { port } = await inFrontOf((request, response) => {
      seen = request.headers;
      target = request.url ?? '';
      request.resume();
      response.end('{}');
    });
    const client = new RawClient(port);
    const body = chatBody();

    client.socket.write(
      [
        'POST /v1/chat/completions?trace=1 HTTP/1.1',
        'Host: corral.test',
        'Authorization: Bearer client-key',
        'X-Api-Key: client-key',
        'Cookie: session=1',
        'Connection: close, X-Private',
        'X-Private: 1',
        'Keep-Alive: timeout=9',
        'TE: trailers',
        'Proxy-Authorization: Basic eA==',
        'Accept-Encoding: gzip',
        'X-Request-Id: 42',
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    );

    await until('the reply', () => client.closed);
    expect(target).to.equal('/v1/chat/completions?trace=1');
    expect(seen.host).to.match(/^127\.0\.0\.1:/);
    expect(Object.keys(seen).toSorted()).to.deep.equal([
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'x-request-id',
    ]);
    expect(seen).to.include({
      authorization: 'Bearer runner-key',
      'x-request-id': '42',
      connection: 'keep-alive',
    });
  });

  it('keeps the headers of one connection, and leave for other origins, from the client', async () => {
    const { baseUrl } = await inFrontOf((request, response) => {
      request.resume();
      response.writeHead(200, {
        connection: 'x-private',
        'x-private': '1',
        'keep-alive': 'timeout=5, max=100',
        'access-control-allow-origin': '*',
      });
      response.end('{}');
    });

    const { headers } = await postChat(baseUrl);

    expect(headers.get('x-private')).to.equal(null);
    expect(headers.get('access-control-allow-origin')).to.equal(null);
    expect(headers.get('keep-alive')).to.equal('timeout=65');
  });

  it('marks an event stream so that nobody on the way collects it', async () => {
    const { baseUrl } = await inFrontOf((request, response) => {
      request.resume();
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
      });
      response.end(event('x'));
    });

    const { headers } = await postChat(baseUrl);

    expect(headers.get('x-accel-buffering')).to.equal('no');
    expect(headers.get('cache-control')).to.equal('no-store');
  });

  it('reads from the runner no faster than the client reads', async function () {
    this.timeout(20_000);
    const totalBytes = 256 * 1024 ** 2;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let sentBytes = 0;
    let stalls = 0;
    const { port } = await inFrontOf((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-length': totalBytes });
      const send = (): void => {
        while (sentBytes < totalBytes) {
          sentBytes += chunk.length;
          if (!response.write(chunk)) break;
        }
        if (sentBytes >= totalBytes) response.end();
      };
      response.on('drain', send);
      send();
      const watch = setInterval(() => {
        stalls = sentBytes === lastBytes ? stalls + 1 : 0;
        lastBytes = sentBytes;
      }, 20);
      let lastBytes = 0;
      response.on('close', () => clearInterval(watch));
    });

    const reply = await openChat(port).reply;
    await until('the runner to be held up', () => stalls >= 10);
    const heldUpAtBytes = sentBytes;
    let receivedBytes = 0;
    for await (const part of reply) receivedBytes += (part as Buffer).length;

    expect(heldUpAtBytes).to.be.lessThan(32 * 1024 ** 2);
    expect(receivedBytes).to.equal(totalBytes);
  });

  it('uses a connection to the runner again', async () => {
    const ports = new Set<number | undefined>();
    const { baseUrl } = await inFrontOf((request, response) => {
      ports.add(request.socket.remotePort);
      request.resume();
      response.end('{}');
    });

    for (let i = 0; i < 5; i += 1) await (await postChat(baseUrl)).text();

    expect(ports.size).to.equal(1);
  });

  it('releases the lease when the reply is complete, and writes one line', async () => {
    const { baseUrl, desk, lines } = await inFrontOf((request, response) => {
      request.resume();
      response.end('{"ok":true}');
    });
    const body = chatBody({ stream: true, secret: 'prompt text' });

    await (await postChat(`${baseUrl}`, { body, headers: { authorization: 'Bearer client-key' } })).text();
    await until('its line in the log', () => lines.length === 1);

    expect(desk.leases).to.have.length(1);
    expect(desk.unsettled).to.equal(0);
    const line = lines[0] ?? {};
    expect(line).to.include({
      event: 'request.ended',
      method: 'POST',
      path: '/v1/chat/completions',
      model: 'tiny',
      stream: true,
      runnerId: 'runner-0',
      waitMs: 12,
      loadMs: 3,
      requestBytes: body.length,
      replyBytes: 11,
      attempts: 1,
      outcome: 'ok',
      status: 200,
    });
    expect(line['firstByteMs']).to.be.a('number');
    expect(line['durationMs']).to.be.a('number');
    expect(JSON.stringify(line)).to.not.match(/prompt text|-key/);
  });

  it("counts the bytes of Corral's own replies as it does those of runners", async () => {
    const { baseUrl, lines } = await inFrontOf((_request, response) => response.end());
    const bodies = ['{"model":"nobody","messages":[]}', '{"model":', '{"model":"tiny","stream":true}'];

    const sizes: number[] = [];
    for (const body of bodies) {
      const reply = await postChat(baseUrl, { body });
      sizes.push((await reply.arrayBuffer()).byteLength);
      await until('its line in the log', () => lines.length === sizes.length);
    }

    expect(lines.map(({ replyBytes }) => replyBytes)).to.deep.equal(sizes);
    expect(sizes[0]).to.be.above(50);
    expect(sizes[1]).to.be.above(50);
  });

  for (const path of ['/v1/completions', '/v1/embeddings']) {
    it(`serves ${path}`, async () => {
      const { baseUrl } = await inFrontOf((request, response) => {
        void text(request).then((body) => response.end(`${request.url} ${body}`));
      });

      const reply = await fetch(`${baseUrl}${path}`, { method: 'POST', body: '{"model":"tiny"}' });

      expect(await reply.text()).to.equal(`${path} {"model":"tiny"}`);
    });
  }
});
