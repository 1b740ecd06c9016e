import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { request as httpRequest } from 'node:http';
import zlib, { deflateSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { chatBody, openChat, postChat, until } from './support/clients.ts';
import { SmallDesk } from './support/small-desk.ts';
import { Servers } from './support/started.ts';

/** `{"model":"tiny",…}` as zstd makes it, which not every Node could: one frame, stored as it is. */
const asZstd = (text: string): Buffer => {
  const content = Buffer.from(text);
  // RFC 8878: magic number; a single segment with four bytes of size; one last raw block.
  const head = Buffer.alloc(12);
  head.writeUInt32LE(0xfd2fb528, 0);
  head.writeUInt8(0b1010_0000, 4);
  head.writeUInt32LE(content.length, 5);
  head.writeUIntLE((content.length << 3) | 1, 9, 3);
  return Buffer.concat([head, content]);
};

describe('compressed bodies', () => {
  const servers = new Servers();
  afterEach(() => servers.stopAll());

  /** A Corral whose runner says what it got. */
  const start = async (limits: object = {}) => {
    const got: { text: string; headers: IncomingHttpHeaders }[] = [];
    const upstream = await servers.upstream(async (request, response) => {
      const chunks = await request.toArray();
      got.push({ text: Buffer.concat(chunks).toString(), headers: request.headers });
      response.end('{}');
    });
    const desk = new SmallDesk(upstream.baseUrl);
    const corral = await servers.corral(desk, { limits });
    const post = (encoding: string, body: Buffer): Promise<Response> =>
      postChat(corral.baseUrl, { headers: { 'content-encoding': encoding }, body: new Uint8Array(body) });
    return { ...corral, desk, got, post };
  };

  for (const [encoding, squeeze] of [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['identity', (body: Buffer) => body],
  ] as const)
    it(`are read, and passed on plain: ${encoding}`, async () => {
      const { post, got } = await start();
      const body = chatBody({ padding: 'x'.repeat(300_000) });

      expect((await post(encoding, squeeze(Buffer.from(body)))).status).to.equal(200);

      expect(got[0]?.text).to.equal(body);
      expect(got[0]?.headers).to.include({ 'content-length': String(body.length) });
      if (encoding !== 'identity') expect(got[0]?.headers).to.not.have.property('content-encoding');
    });

  it('are read with zstd, or refused in words where Node has none', async () => {
    const { post, got } = await start();

    const reply = await post('zstd', asZstd(chatBody()));

    if ('createZstdDecompress' in zlib) {
      expect(reply.status).to.equal(200);
      expect(got[0]?.text).to.equal(chatBody());
    } else {
      expect(reply.status).to.equal(415);
      expect(await reply.text()).to.match(/zstd on Node.js 22.15 and later, and runs on v\d+.*gzip, deflate/);
    }
  });

  it('are refused in an encoding that is not known', async () => {
    const { post, desk } = await start();

    for (const encoding of ['br', 'gzip, gzip', 'none']) {
      const reply = await post(encoding, gzipSync(chatBody()));
      expect(reply.status).to.equal(415);
      expect(await reply.json()).to.have.nested.property('error.code', 'encoding');
    }
    expect(desk.requests).to.deep.equal([]);
  });

  it('are refused when they are damaged, cut off, or plain after all', async () => {
    const { post, desk } = await start();
    const whole = gzipSync(chatBody({ padding: 'x'.repeat(1_000) }));

    for (const body of [whole.subarray(0, -12), Buffer.from(chatBody()), Buffer.alloc(0)]) {
      const reply = await post('gzip', body);
      expect(reply.status).to.equal(400);
    }
    expect(desk.requests).to.deep.equal([]);
  });

  it('are bounded by what comes out of them, and what was held is given back', async () => {
    const { post, desk } = await start({ maxBodyBytes: 1_000_000, maxHeldBytes: 1_200_000 });
    const bomb = gzipSync(chatBody({ padding: ' '.repeat(200_000_000) }));
    expect(bomb.length).to.be.lessThan(1_000_000);

    const before = process.memoryUsage().arrayBuffers;
    for (let nth = 0; nth < 5; nth++) expect((await post('gzip', bomb)).status).to.equal(413);
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(50_000_000);

    expect(desk.requests).to.deep.equal([]);
    expect((await post('gzip', gzipSync(chatBody({ padding: ' '.repeat(900_000) })))).status).to.equal(200);
  });

  it("are read at Ollama's paths, too", async () => {
    const { baseUrl } = await start();
    const headers = { 'content-encoding': 'gzip' };
    const show = (body: Buffer): Promise<Response> =>
      fetch(`${baseUrl}/api/show`, { method: 'POST', headers, body: new Uint8Array(body) });

    expect((await show(gzipSync('{"model":"tiny"}'))).status).to.equal(200);
    expect((await show(gzipSync(`{"model":"tiny","x":"${'x'.repeat(70_000)}"}`))).status).to.equal(413);
  });

  it('are passed as they came below /upstream/', async () => {
    const { baseUrl, got } = await start();
    const headers = { 'content-encoding': 'br' };

    await fetch(`${baseUrl}/upstream/tiny/any`, { method: 'POST', headers, body: 'as it came' });

    expect(got[0]).to.have.property('text', 'as it came');
    expect(got[0]?.headers).to.include({ 'content-encoding': 'br' });
  });

  it('leave nothing behind when their client leaves in the middle', async () => {
    const { port, desk, lines } = await start();
    const client = httpRequest({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { 'content-encoding': 'gzip', 'content-length': 10_000 },
    });
    client.on('error', () => {});
    client.write(gzipSync(chatBody()).subarray(0, 20));
    await once(client, 'socket');
    await new Promise((resolve) => setImmediate(resolve));
    client.destroy();

    await until('its line in the log', () => lines.some(({ outcome }) => outcome === 'client-gone'));
    expect(desk.requests).to.deep.equal([]);
  });

  it('are for whom it says so alone: a plain one stays what it is', async () => {
    const { port, got } = await start();

    const { reply } = openChat(port);

    expect((await reply).statusCode).to.equal(200);
    expect(got[0]?.text).to.equal(chatBody());
  });
});
