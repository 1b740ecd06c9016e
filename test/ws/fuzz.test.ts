import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { defaultWsLimits } from '../../src/ws/limits.ts';
import { until } from '../support/corral.ts';
import { startPoolServer, type PoolServer } from './support/pool-server.ts';
import { RawReader } from './support/raw-reader.ts';

const HANDSHAKE = [
  'GET /api/v1/ws HTTP/1.1',
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '\r\n',
].join('\r\n');

const topic = fc.constantFrom(
  'runners',
  'queue',
  'devices',
  'models',
  'charts',
  'decisions',
  'events',
  'log',
  'terminal',
);
const command = fc.constantFrom('model.load', 'model.unload', 'runner.stop', 'model.pin', 'terminal.write');
const id = fc.constantFrom('1', '2', '3', '');
const params = fc.oneof(
  fc.constant({}),
  fc.record(
    {
      model: fc.constantFrom('a', 'b', 'zzz', '__proto__', 'constructor'),
      runnerId: fc.constantFrom('runner-1', 'runner-2', '__proto__'),
      wait: fc.boolean(),
      force: fc.boolean(),
      pinned: fc.boolean(),
      drainMs: fc.oneof(fc.nat(1_000), fc.double()),
      keepAlive: fc.oneof(fc.constantFrom('5m', 'forever', '-1'), fc.double()),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);
/** Messages that are right, or nearly. */
const message = fc.oneof(
  fc.record({ v: fc.constant(1), type: fc.constant('subscribe'), id, topic, params }),
  fc.record({
    v: fc.constant(1),
    type: fc.constant('subscribe'),
    id,
    topic,
    after: fc.oneof(fc.nat(100), fc.double()),
  }),
  fc.record({ v: fc.constant(1), type: fc.constant('unsubscribe'), id }),
  fc.record({ v: fc.constant(1), type: fc.constant('command'), id, command, params }),
  fc.record({ v: fc.nat(2), type: fc.constantFrom('ping', 'hello', 'reply') }),
  fc.dictionary(fc.constantFrom('v', 'type', 'id', 'topic', 'params', '__proto__'), fc.jsonValue()),
);
const text = fc.oneof(
  { weight: 4, arbitrary: message.map((content) => JSON.stringify(content)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

describe('whatever clients send', () => {
  let served: PoolServer;
  beforeEach(async () => (served = await startPoolServer({ limits: { maxMessagesPerSecond: Infinity } })));
  afterEach(() => served.close());

  /** All is well: it answers, and nobody is left behind. */
  const check = async (): Promise<void> => {
    const { api, url, pool } = served;
    await until('all are gone', () => api.counts.connections === 0);
    const reader = await RawReader.open(url);
    await reader.settle();
    reader.socket.terminate();
    await until('all are gone', () => api.counts.connections === 0);
    pool.advance(60_000);
    expect(api.counts.feeds).to.equal(0);
  };

  it('messages: each is answered, by what the schemas allow', async () => {
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 20, maxLength: 60 }), async (texts) => {
        const reader = await RawReader.open(served.url);
        for (const content of texts) reader.socket.send(content);
        sent += texts.length;
        served.pool.advance(100);
        reader.say({ type: 'unsubscribe', id: 'the end' });
        await reader.until(() => reader.of('reply').some((reply) => reply.id === 'the end'));
        const { length } = ['error', 'reply', 'pong'].flatMap((type) => reader.of(type as 'error'));
        // Commands that wait for a load are answered later.
        expect(length - 1).to.be.within(texts.length - defaultWsLimits.maxCommands, texts.length);
        reader.socket.terminate();
      }),
      { numRuns: 100 },
    );
    expect(sent).to.be.above(3_000);
    await check();
  }).timeout(60_000);

  it('bytes: broken frames end their connection, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        const socket = connect(served.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write(HANDSHAKE);
        await once(socket, 'data');
        socket.end(bytes);
        socket.resume();
        await once(socket, 'close');
      }),
      { numRuns: 1_000 },
    );
    await check();
  }).timeout(60_000);

  it('handshakes: those that are none are refused', async () => {
    const line = fc.oneof(
      fc.constantFrom(
        'Upgrade: websocket',
        'Upgrade: h2c',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 99',
      ),
      fc.constantFrom(
        'Sec-WebSocket-Key: short',
        'Origin: null',
        'Content-Length: 3',
        'Transfer-Encoding: chunked',
      ),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), fc.string(), async (lines, rest) => {
        const socket = connect(served.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.end(['GET /api/v1/ws HTTP/1.1', 'Host: x', ...lines, '', rest].join('\r\n'));
        socket.resume();
        await once(socket, 'close');
      }),
      { numRuns: 500 },
    );
    await check();
  }).timeout(60_000);
});
