import type { RequestListener } from 'node:http';
import { expect } from 'chai';
import { chatBody, RawClient } from '../http/support/clients.ts';
import { SmallDesk } from '../http/support/small-desk.ts';
import { Servers } from '../http/support/started.ts';
import { until } from '../support/corral.ts';

const chunk = 'data: {"choices":[]}\n\n';
const body = chatBody();
const streaming = chatBody({ stream: true });

const post = (content: string, { version = '1.1', headers = '' } = {}): string =>
  `POST /v1/chat/completions HTTP/${version}\r\nHost: localhost\r\nContent-Length: ${content.length}\r\n${headers}\r\n${content}`;

const countOf = (text: string, part: string): number => text.split(part).length - 1;

describe('a client that speaks HTTP in an odd way', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  /** Answers streams with two chunks, and all else with `{}`. */
  const answering: RequestListener = (request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      if (!text.includes('"stream":true')) return void response.end('{"whole":1}');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk);
      response.end(`${chunk}data: [DONE]\n\n`);
    });
  };
  const start = async (listener: RequestListener = answering) => {
    const upstream = await servers.upstream(listener);
    const desk = new SmallDesk(upstream.baseUrl);
    const corral = await servers.corral(desk);
    return { desk, ...corral, client: new RawClient(corral.port) };
  };

  it('is answered in HTTP/1.0: a stream ends with the connection, and is not in chunks', async () => {
    const { client, desk } = await start();

    client.socket.write(post(streaming, { version: '1.0' }));

    await until('the connection has ended', () => client.closed);
    const [head = '', rest = ''] = client.text.split('\r\n\r\n');
    expect(head)
      .to.match(/^HTTP\/1\.1 200 OK/)
      .and.not.to.match(/transfer-encoding/i);
    expect(rest).to.equal(`${chunk}${chunk}data: [DONE]\n\n`);
    await until('the lease is over', () => desk.unsettled === 0);
  });

  it('is answered in order when it does not wait for replies, streams and refusals among them', async () => {
    const { client, desk } = await start();

    client.socket.write(
      post(body) + post('{bad') + post(streaming) + post(body, { headers: 'Connection: close\r\n' }),
    );

    await until('the connection has ended', () => client.closed);
    const statuses = [...client.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses).to.deep.equal(['200', '400', '200', '200']);
    expect(client.text.indexOf('invalid_json')).to.be.lessThan(client.text.indexOf('[DONE]'));
    expect(countOf(client.text, '{"whole":1}')).to.equal(2);
    await until('all leases are over', () => desk.unsettled === 0);
  });

  it('costs nothing once it has left, however many requests it had sent ahead', async () => {
    const { client, desk, lines } = await start((request) => request.resume());
    client.socket.write(post(body).repeat(20));
    await until('the first is at work', () => desk.leases.length > 0);

    client.socket.resetAndDestroy();

    await until('all leases are over', () => desk.unsettled === 0);
    await until('the first is told', () => lines.some(({ event }) => event === 'request.ended'));
    // The others waited for their turn, which never came.
    expect(desk.leases).to.have.length(1);
    expect(lines.filter(({ event }) => event === 'request.failed')).to.deep.equal([]);
  });

  it('may send its body in pieces of one byte, with a trailer', async () => {
    const { client, desk } = await start();
    const pieces = body.replaceAll(/./gs, (byte) => `1\r\n${byte}\r\n`);

    client.socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
        `Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n${pieces}0\r\nX-T: 1\r\n\r\n`,
    );

    await until('the connection has ended', () => client.closed);
    expect(client.text)
      .to.match(/^HTTP\/1\.1 200 OK/)
      .and.to.contain('{"whole":1}');
    expect(desk.requests).to.have.length(1);
  });

  for (const [what, text] of [
    ['two lengths', post(body, { headers: 'Content-Length: 3\r\n' })],
    ['a length and chunks', `${post(body, { headers: 'Transfer-Encoding: chunked\r\n' })}\r\n`],
    ['lines without returns', post(body).replaceAll('\r\n', '\n')],
    ['a handshake of TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u0003\u0003'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ] as const)
    it(`is refused with a 400, and reaches no runner, with ${what}`, async () => {
      const { client, desk } = await start();

      client.socket.write(Buffer.from(text, 'latin1'));

      await until('the connection has ended', () => client.closed);
      expect(client.text)
        .to.match(/^HTTP\/1\.1 400 Bad Request/)
        .and.to.contain('malformed_request');
      expect(desk.requests).to.deep.equal([]);
    });
});
