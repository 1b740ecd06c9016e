import { expect } from 'chai';
import type { RequestListener } from 'node:http';
import { chatBody, openChat, postChat, RawClient, until } from './support/clients.ts';
import { SmallDesk } from './support/small-desk.ts';
import { Servers } from './support/started.ts';

const answerOk: RequestListener = (request, response) => {
  request.resume().on('end', () => response.end('{}'));
};

describe('limits', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  const head = (headers: string): string =>
    `POST /v1/chat/completions HTTP/1.1\r\nHost: corral.test\r\n${headers}\r\n\r\n`;

  it('answers 413 for a body that is announced as too large, and closes', async () => {
    const { port } = await servers.corral(new SmallDesk(), { limits: { maxBodyBytes: 1000 } });
    const client = new RawClient(port);

    client.socket.write(head('Content-Length: 1001') + 'x'.repeat(1001));

    await until('the connection to close', () => client.closed);
    expect(client.text)
      .to.match(/^HTTP\/1\.1 413 /)
      .and.to.match(/connection: close/i);
    expect(client.text).to.match(/"message":"The request body is larger than the limit of 1000 bytes\."/);
  });

  it('lets a client that is still sending read the 413', async () => {
    const desk = new SmallDesk();
    const { baseUrl } = await servers.corral(desk, { limits: { maxBodyBytes: 1000 } });

    const reply = await postChat(baseUrl, { body: chatBody({ padding: 'x'.repeat(8 * 1024 ** 2) }) });

    expect(reply.status).to.equal(413);
    expect(await reply.json()).to.have.nested.property('error.code', 'request_too_large');
    expect(desk.requests).to.deep.equal([]);
  });

  it('answers 413 for a chunked body as soon as it is too large', async () => {
    const { port } = await servers.corral(new SmallDesk(), { limits: { maxBodyBytes: 1000 } });
    const client = new RawClient(port);

    client.socket.write(head('Transfer-Encoding: chunked') + `3e9\r\n${'x'.repeat(1001)}\r\n`);

    await until('the reply', () => client.text.includes('request_too_large'));
    client.socket.write('0\r\n\r\n');
    await until('the connection to close', () => client.closed);
  });

  it('does not ask for a body that it would refuse', async () => {
    const { port } = await servers.corral(new SmallDesk(), { limits: { maxBodyBytes: 1000 } });
    const client = new RawClient(port);

    client.socket.write(head('Expect: 100-continue\r\nContent-Length: 2000'));

    await until('the reply', () => client.text.includes('request_too_large'));
    expect(client.text).to.match(/^HTTP\/1\.1 413 /);
    client.socket.destroy();
  });

  it('asks for a body that it takes', async () => {
    const { port } = await servers.corral(new SmallDesk());
    const client = new RawClient(port);

    client.socket.write(head('Expect: 100-continue\r\nContent-Length: 2'));
    await until('the leave to send', () => client.text.startsWith('HTTP/1.1 100 Continue'));
    client.socket.write('{}');

    await until('the reply', () => client.text.includes('model_required'));
    client.socket.destroy();
  });

  it('answers 503 when all requests together hold too much, and recovers', async () => {
    const upstream = await servers.upstream(answerOk);
    const desk = new SmallDesk(upstream.baseUrl);
    let open = (): void => undefined;
    desk.open = new Promise((resolve) => (open = resolve));
    const { port, baseUrl } = await servers.corral(desk, { limits: { maxHeldBytes: 100_000 } });
    const waiting = openChat(port, chatBody({ padding: 'x'.repeat(90_000) }));
    await until('the first to wait', () => desk.waiting === 1);

    const refused = await postChat(baseUrl, { body: chatBody({ padding: 'x'.repeat(20_000) }) });
    open();
    const first = await waiting.reply;
    first.resume();
    const later = await postChat(baseUrl, { body: chatBody({ padding: 'x'.repeat(20_000) }) });

    expect(refused.status).to.equal(503);
    expect(refused.headers.get('retry-after')).to.equal('1');
    expect(await refused.json()).to.have.nested.property('error.code', 'bodies_full');
    expect(first.statusCode).to.equal(200);
    expect(later.status).to.equal(200);
  });

  it('charges a body of tiny chunks for what they cost', async () => {
    const { port } = await servers.corral(new SmallDesk(), { limits: { maxHeldBytes: 100_000 } });
    const client = new RawClient(port);

    client.socket.write(head('Transfer-Encoding: chunked') + '1\r\n \r\n'.repeat(1_000));

    await until('the reply', () => client.text.includes('bodies_full'));
    client.socket.destroy();
  });

  it('closes connections beyond the limit, and says so once in a while', async () => {
    const { port, lines } = await servers.corral(new SmallDesk(), { limits: { maxConnections: 2 } });
    const first = [new RawClient(port), new RawClient(port)];
    for (const client of first) client.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('both are answered', () => first.every(({ text }) => text.includes('"ok"')));
    const beyond = [new RawClient(port), new RawClient(port)];
    await until('the others are closed', () => beyond.every(({ closed }) => closed));

    const told = lines.filter(({ event }) => event === 'connections.dropped');
    expect(told).to.have.length(1);
    expect(told[0]).to.include({ dropped: 1, maxConnections: 2 });
    first[0]?.socket.destroy();
    let later = new RawClient(port);
    await until('there is room again', () => {
      if (later.closed) later = new RawClient(port);
      else later.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
      return later.text.includes('"ok"');
    });
    for (const { socket } of [...first, later]) socket.destroy();
  });

  it('answers 431 for huge headers', async () => {
    const { port } = await servers.corral(new SmallDesk());
    const client = new RawClient(port);

    client.socket.write(head(`X-Large: ${'x'.repeat(64 * 1024)}`));

    await until('the connection to close', () => client.closed);
    expect(client.text).to.match(/^HTTP\/1\.1 431 Request Header Fields Too Large/);
    expect(client.text).to.match(/"code":"headers_too_large"/);
  });

  it('answers 400 for what is no HTTP', async () => {
    const { port } = await servers.corral(new SmallDesk());
    const client = new RawClient(port);

    client.socket.write('hello there\r\n\r\n');

    await until('the connection to close', () => client.closed);
    expect(client.text)
      .to.match(/^HTTP\/1\.1 400 Bad Request/)
      .and.to.match(/"code":"malformed_request"/);
  });

  it('answers 408 to a client that does not finish its headers', async () => {
    const { port } = await servers.corral(new SmallDesk(), { limits: { headersTimeoutMs: 50 } });
    const client = new RawClient(port);

    client.socket.write('POST /v1/chat/completions HTTP/1.1\r\nHost: corral.test\r\n');

    await until('the connection to close', () => client.closed);
    expect(client.text)
      .to.match(/^HTTP\/1\.1 408 Request Timeout/)
      .and.to.match(/"code":"request_timeout"/);
  });

  it('answers 408 to a client that does not finish its body, and holds nothing of it', async () => {
    const desk = new SmallDesk();
    const limits = { headersTimeoutMs: 50, requestTimeoutMs: 50 };
    const { port, lines } = await servers.corral(desk, { limits });
    const client = new RawClient(port);

    client.socket.write(head('Content-Length: 100') + '{"model":');

    await until('the connection to close', () => client.closed);
    expect(client.text).to.match(/^HTTP\/1\.1 408 /);
    await until('its line in the log', () => lines.length === 1);
    expect(lines[0]).to.include({ outcome: 'client-gone' });
    expect(desk.requests).to.deep.equal([]);
  });

  it('sets no time limit on a reply', async () => {
    const upstream = await servers.upstream((request, response) => {
      request.resume();
      setTimeout(() => response.end('{}'), 400);
    });
    const limits = { headersTimeoutMs: 50, requestTimeoutMs: 50, keepAliveTimeoutMs: 50 };
    const { baseUrl } = await servers.corral(new SmallDesk(upstream.baseUrl), { limits });

    expect((await postChat(baseUrl)).status).to.equal(200);
  });
});
