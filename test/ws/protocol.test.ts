import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { parseConfig } from '../../src/config/load-config.ts';
import type { Config } from '../../src/config/schema.ts';
import { defaultWsLimits } from '../../src/ws/limits.ts';
import { stringify } from 'yaml';
import { createGuard } from '../../src/auth/guard.ts';
import { presentedKey } from '../../src/auth/presented-key.ts';
import type { WsOptions } from '../../src/ws/ws-api.ts';
import { aGuard, keysOf } from '../support/guard.ts';
import { startPoolServer, type PoolServer } from './support/pool-server.ts';
import { RawReader } from './support/raw-reader.ts';

describe('the WebSocket API', () => {
  let served: PoolServer;
  const start = async (options: WsOptions = {}): Promise<PoolServer> =>
    (served = await startPoolServer(options));
  afterEach(() => served.close());

  /** What a handshake is answered with. */
  const handshake = async (
    headers: Record<string, string>,
    path = '/api/v1/ws',
    protocols: string[] = [],
  ): Promise<number> => {
    const socket = new WebSocket(`ws://127.0.0.1:${served.port}${path}`, protocols, { headers });
    socket.on('error', () => {});
    const [status] = await Promise.race([
      once(socket, 'open').then(() => [101]),
      once(socket, 'unexpected-response').then(([, response]: { statusCode: number }[]) => [
        response?.statusCode,
      ]),
    ]);
    socket.terminate();
    return status ?? 0;
  };

  describe('messages', () => {
    it('greets with the version and the session', async () => {
      const { url } = await start();
      const reader = await RawReader.open(url);

      expect(reader.messages[0]).to.include({ v: 1, type: 'hello', version: '1.2.3' });
    });

    it('answers a ping', async () => {
      const { url } = await start();
      const reader = await RawReader.open(url);
      await reader.settle();

      expect(reader.messages.at(-1)).to.deep.equal({ v: 1, type: 'pong' });
    });

    const illFormed: [what: string, message: string, path: string, id?: string][] = [
      ['no JSON', '{', 'message'],
      ['no object', '[]', 'message'],
      ['no version', '{"type":"ping"}', 'message.v'],
      ['another version', '{"v":2,"type":"ping"}', 'message.v'],
      ['an unknown type', '{"v":1,"type":"dance","id":"x"}', 'message.type', 'x'],
      ['an unknown topic', '{"v":1,"type":"subscribe","id":"x","topic":"keys"}', 'message.topic', 'x'],
      ['a missing id', '{"v":1,"type":"subscribe","topic":"runners"}', 'message.id'],
      ['a bad seq', '{"v":1,"type":"subscribe","id":"x","topic":"runners","after":-1}', 'message.after', 'x'],
      [
        'a log of nothing',
        '{"v":1,"type":"subscribe","id":"x","topic":"log","params":{}}',
        'message.params',
        'x',
      ],
      [
        'an unknown command',
        '{"v":1,"type":"command","id":"x","command":"rm","params":{}}',
        'message.command',
        'x',
      ],
      [
        'an unknown part',
        '{"v":1,"type":"command","id":"x","command":"model.load","params":{"model":"a","now":1}}',
        'message.params.now',
        'x',
      ],
    ];
    for (const [what, message, path, id] of illFormed)
      it(`answers ${what} by naming ${path}`, async () => {
        const { url } = await start();
        const reader = await RawReader.open(url);
        reader.socket.send(message);
        await reader.settle();
        const [error] = reader.of('error');

        expect(error?.id).to.equal(id);
        expect(error?.problem).to.include({ status: 400, code: 'invalid_request' });
        expect(error?.problem.detail).to.include(path);
      });

    it('keeps the answer to a message full of mistakes short', async () => {
      const { url } = await start();
      const reader = await RawReader.open(url);
      const mistakes = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`mistake${i}`, i]));
      reader.say({ type: 'ping', ...mistakes });
      await reader.settle();

      expect(JSON.stringify(reader.of('error')[0]).length).to.be.below(4_000);
    });

    it('refuses a topic of what is not there', async () => {
      const { url } = await start();
      const reader = await RawReader.open(url);
      const subscribe = { type: 'subscribe', id: '1' };

      expect(
        await reader.ask({ ...subscribe, topic: 'log', params: { model: 'zzz' } }),
      ).to.have.nested.property('problem.code', 'model_not_found');
      expect(
        await reader.ask({ ...subscribe, topic: 'terminal', params: { runnerId: 'runner-9' } }),
      ).to.have.nested.property('problem.code', 'runner_not_found');
    });

    it('refuses an id that is in use, the same topic twice, and the end of nothing', async () => {
      const { url } = await start();
      const reader = await RawReader.open(url);
      await reader.ask({ type: 'subscribe', id: '1', topic: 'runners' });
      const codes = [
        await reader.ask({ type: 'subscribe', id: '1', topic: 'queue' }),
        await reader.ask({ type: 'subscribe', id: '2', topic: 'runners' }),
        await reader.ask({ type: 'unsubscribe', id: '2' }),
      ].map((reply) => !reply.ok && reply.problem.code);

      expect(codes).to.deep.equal(['id_in_use', 'already_subscribed', 'not_subscribed']);
    });
  });

  describe('limits', () => {
    it('closes on a binary frame', async () => {
      const { url } = await start();
      const reader = await RawReader.open(url);
      reader.socket.send(Buffer.from('{"v":1,"type":"ping"}'));

      expect(await reader.end()).to.include({ code: 1003 });
    });

    it('closes on a message that is too large', async () => {
      const { url } = await start();
      const reader = await RawReader.open(url);
      reader.socket.send(' '.repeat(defaultWsLimits.maxMessageBytes + 1));

      expect(await reader.end()).to.include({ code: 1009 });
    });

    it('closes on too many messages within a second, and not on as many in two', async () => {
      const { url, pool } = await start({ limits: { maxMessagesPerSecond: 3 } });
      const reader = await RawReader.open(url);
      for (let i = 0; i < 3; i++) await reader.settle();
      pool.advance(1_000);
      for (let i = 0; i < 3; i++) await reader.settle();
      reader.say({ type: 'ping' });

      expect(await reader.end()).to.include({ code: 1008 });
    });

    it('refuses a topic too many', async () => {
      const { url } = await start({ limits: { maxSubscriptions: 1 } });
      const reader = await RawReader.open(url);
      await reader.ask({ type: 'subscribe', id: '1', topic: 'runners' });

      expect(await reader.ask({ type: 'subscribe', id: '2', topic: 'queue' })).to.have.nested.property(
        'problem.code',
        'too_many_subscriptions',
      );
    });

    it('refuses a connection too many, and lets the next one in when there is room', async () => {
      const { url, api } = await start({ limits: { maxConnections: 1 } });
      const reader = await RawReader.open(url);
      const refused = await handshake({});
      reader.socket.close();
      await reader.end();
      while (api.counts.connections > 0) await new Promise(setImmediate);

      expect([refused, await handshake({})]).to.deep.equal([503, 101]);
    });

    it('refuses a command too many', async () => {
      const { url } = await start({ limits: { maxCommands: 1 } });
      const reader = await RawReader.open(url);
      const load = { type: 'command', command: 'model.load', params: { model: 'a', wait: true } };
      reader.say({ ...load, id: '1' });

      expect(await reader.ask({ ...load, id: '2' })).to.have.nested.property(
        'problem.code',
        'too_many_commands',
      );
    });

    it('cuts off a connection that gives no sign of life', async () => {
      const { url, pool, api } = await start();
      const reader = await RawReader.open(url);
      const mute = connect(served.port, '127.0.0.1');
      mute.write(
        'GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      );
      await once(mute, 'data');
      expect(api.counts.connections).to.equal(2);
      pool.advance(defaultWsLimits.heartbeatMs);
      await reader.settle();
      pool.advance(defaultWsLimits.heartbeatMs);
      await once(mute, 'close');
      await reader.settle();

      expect(api.counts.connections).to.equal(1);
    });
  });

  describe('who may connect', () => {
    it('refuses pages of other origins', async () => {
      const { port } = await start({
        guard: aGuard({ listen: { allowedOrigins: ['https://pages.example'] } }),
      });
      const of = (origin: string): Promise<number> => handshake({ origin });

      expect(await of(`http://127.0.0.1:${port}`)).to.equal(101);
      expect(await of('https://pages.example')).to.equal(101);
      expect(await of('https://evil.example')).to.equal(403);
      expect(await of('http://127.0.0.1:1')).to.equal(403);
      expect(await of('null')).to.equal(403);
    });

    it('asks who it is, by a header or by a subprotocol', async () => {
      const keys = keysOf({ reader: { key: 'a key, ü', scopes: ['read'] } });
      await start({ guard: aGuard({ keys }) });
      const inProtocol = ['corral.v1', `corral.key.${Buffer.from('a key, ü').toString('base64url')}`];

      expect(await handshake({})).to.equal(401);
      expect(await handshake({ authorization: 'Bearer wrong' })).to.equal(401);
      expect(await handshake({}, '/api/v1/ws', inProtocol)).to.equal(101);
      expect(presentedKey({ authorization: 'Bearer abc' })).to.equal('abc');
    });

    it('lets one who may only read give no commands', async () => {
      const keys = keysOf({ reader: { key: 'abc', scopes: ['read'] } });
      const { url, specs } = await start({ guard: aGuard({ keys }) });
      const reader = await RawReader.open(url, { headers: { authorization: 'Bearer abc' } });
      const reply = await reader.ask({
        type: 'command',
        id: '1',
        command: 'model.load',
        params: { model: specs[0]?.name },
      });

      expect(reply).to.have.nested.property('problem.code', 'forbidden');
    });

    it('closes the connection of a key that is taken out of the configuration', async () => {
      const config = (keys: object): Config => parseConfig(stringify({ keys }));
      let current = config({ ...keysOf({ reader: { key: 'abc', scopes: ['read'] } }) });
      const { url, pool } = await start({ guard: createGuard(() => current) });
      const reader = await RawReader.open(url, { headers: { authorization: 'Bearer abc' } });
      current = config({ ...keysOf({ reader: { key: 'another', scopes: ['read'] } }) });
      pool.advance(defaultWsLimits.heartbeatMs);

      expect(await reader.end()).to.deep.equal({ code: 1008, reason: 'the key is not known any more' });
    });

    it('has nothing at other paths', async () => {
      await start();

      expect(await handshake({}, '/api/v1/other')).to.equal(404);
      expect(await handshake({}, '/api/v1/ws?page=1')).to.equal(101);
    });
  });
});

describe('a request that offers another protocol', () => {
  it('is answered as the plain request that it also is, body and all', async () => {
    const served = await startPoolServer({}, (request, response) => {
      void request
        .setEncoding('utf8')
        .toArray()
        .then((parts) => response.end(`heard ${parts.join('')}`));
    });
    const socket = connect(served.port, '127.0.0.1');
    const request = (body: string): string =>
      [
        'POST /v1/chat/completions HTTP/1.1',
        'Host: x',
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(request('first'));
    while (!text.includes('heard first')) await once(socket, 'data');
    // The same connection goes on; this body comes in two parts.
    const second = request('second');
    socket.write(second.slice(0, -3));
    await new Promise(setImmediate);
    socket.write(second.slice(-3));
    while (!text.includes('heard second')) await once(socket, 'data');
    socket.destroy();
    await served.close();
  });
});
