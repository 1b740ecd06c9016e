import { expect } from 'chai';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/load-config.ts';
import { findCollector } from '../../src/tracing/find-collector.ts';
import { startTracing, type Tracing } from '../../src/tracing/tracing.ts';
import { SmallDesk } from '../http/support/small-desk.ts';
import { Servers, type StartedCorral } from '../http/support/started.ts';
import { chat, startCorral } from '../support/corral.ts';
import { writeModels } from '../support/models.ts';
import { FakeCollector, type SeenSpan } from './support/fake-collector.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const SERVER = 2;
const CLIENT = 3;

describe('tracing', function () {
  this.timeout(60_000);
  const servers = new Servers();
  let collector: FakeCollector;
  let tracing: Tracing;
  let lines: Record<string, unknown>[];
  beforeEach(async () => {
    collector = await FakeCollector.start();
    lines = [];
    tracing = start(collector.url);
  });
  afterEach(async () => {
    await tracing.stop();
    servers.stopAll();
    collector.stop();
  });

  const start = (url: string, sampleRate = 1): Tracing =>
    startTracing({
      url: `${url}/v1/traces`,
      sampleRate,
      version: '1.2.3',
      log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    });
  const ask = async (
    { baseUrl }: StartedCorral,
    headers: Record<string, string> = {},
    path = '/v1/chat/completions',
  ): Promise<number> => {
    const body = JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'a secret' }] });
    const answer = await fetch(baseUrl + path, { method: 'POST', body, headers });
    await answer.text();
    return answer.status;
  };
  /** All spans of what was asked; nothing more is sent after this. */
  const spans = async (): Promise<readonly SeenSpan[]> => {
    await tracing.stop();
    return collector.spans;
  };
  const only = (name: string): SeenSpan => {
    const found = collector.named(name);
    expect(found, name).to.have.lengthOf(1);
    return found[0] as SeenSpan;
  };

  describe('the tokens of a request', () => {
    const told = async (path: string, reply: readonly string[]): Promise<Record<string, unknown>> => {
      const upstream = await servers.upstream(async (_, response) => {
        for (const part of reply) response.write(part);
        response.end();
      });
      const corral = await servers.corral(new SmallDesk(upstream.baseUrl), { beginTrace: tracing.begin });
      await ask(corral, {}, path);
      await spans();
      return only(`POST ${path}`).attributes;
    };
    const usage = (inputTokens: number, outputTokens: number) => ({
      'gen_ai.usage.input_tokens': inputTokens,
      'gen_ai.usage.output_tokens': outputTokens,
    });
    const written = JSON.stringify({ content: 'they say {"completion_tokens":99}' });

    for (const [title, path, operation, reply, input, output] of [
      [
        'a chat',
        '/v1/chat/completions',
        'chat',
        ['{"usage":{"completion_tokens":2,"prompt_tokens":11}}'],
        11,
        2,
      ],
      [
        'a stream of which nobody asked for its usage',
        '/v1/chat/completions',
        'chat',
        [
          'data: {"choices":[]}\n\n',
          `data: ${written}\n\n`,
          'data: {"timings":{"cache_n":3,"prompt_n":4,"predicted_n":5}}\n\n',
        ],
        7,
        5,
      ],
      [
        "a stream of Anthropic's, which begins with one and ends with the other",
        '/v1/messages',
        'chat',
        [
          'data: {"message":{"usage":{"input_tokens":6,"output_tokens":0}}}\n\n',
          'x'.repeat(20_000),
          'data: {"usage":{"output_tokens":9}}\n\n',
        ],
        6,
        9,
      ],
      [
        'a completion',
        '/completion',
        'text_completion',
        ['{"tokens_evaluated":3,"tokens_predicted":1}'],
        3,
        1,
      ],
    ] as const)
      it(`are told: ${title}`, async () => {
        expect(await told(path, reply)).to.include({
          'gen_ai.operation.name': operation,
          ...usage(input, output),
        });
      });

    it('are not told where the runner says nothing, nor what a model wrote of them', async () => {
      const attributes = await told('/v1/embeddings', [written]);

      expect(attributes).to.include({ 'gen_ai.operation.name': 'embeddings' });
      expect(attributes).to.not.have.any.keys('gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens');
    });
  });

  it('makes a span of each request, with its wait, its load and its forwarding below', async () => {
    const upstream = await servers.upstream((_, response) => response.end('{}'));
    const corral = await servers.corral(new SmallDesk(upstream.baseUrl), { beginTrace: tracing.begin });

    await ask(corral);
    await spans();

    const server = only('POST /v1/chat/completions');
    expect([server.kind, server.parentSpanId, server.isError]).to.deep.equal([SERVER, undefined, false]);
    expect(server.attributes).to.include({
      'http.request.method': 'POST',
      'url.path': '/v1/chat/completions',
      'http.response.status_code': 200,
      'gen_ai.request.model': 'tiny',
      'corral.api': 'openai',
      'corral.outcome': 'ok',
      'corral.runner': 'runner-0',
      'corral.attempts': 1,
      'corral.wait_ms': 12,
      'corral.load_ms': 3,
    });
    expect(server.resource).to.include({ 'service.name': 'corral', 'service.version': '1.2.3' });
    const [wait, load, forward] = [only('wait'), only('load'), only('forward')];
    expect([wait.parentSpanId, load.parentSpanId, forward.parentSpanId]).to.deep.equal([
      server.spanId,
      wait.spanId,
      server.spanId,
    ]);
    expect(load.endMs - load.startMs).to.be.closeTo(3.2, 1);
    expect(forward.kind).to.equal(CLIENT);
    expect(forward.attributes).to.include({ 'corral.runner': 'runner-0', 'corral.result': 'complete' });
    expect(collector.text).to.not.contain('secret');
  });

  it("continues the client's trace, and has the runner continue it", async () => {
    let heard: Record<string, unknown> = {};
    const upstream = await servers.upstream((request, response) => {
      heard = request.headers;
      response.end('{}');
    });
    const corral = await servers.corral(new SmallDesk(upstream.baseUrl), { beginTrace: tracing.begin });

    await ask(corral, { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=1' });
    await spans();

    const server = only('POST /v1/chat/completions');
    expect([server.traceId, server.parentSpanId]).to.deep.equal([TRACE, PARENT]);
    expect(heard['traceparent']).to.equal(`00-${TRACE}-${only('forward').spanId}-01`);
    expect(heard['tracestate']).to.equal('vendor=1');
  });

  it("leaves the client's headers alone where nothing is traced", async () => {
    let heard: Record<string, unknown> = {};
    const upstream = await servers.upstream((request, response) => {
      heard = request.headers;
      response.end('{}');
    });

    await ask(await servers.corral(new SmallDesk(upstream.baseUrl)), {
      traceparent: `00-${TRACE}-${PARENT}-01`,
    });

    expect(heard['traceparent']).to.equal(`00-${TRACE}-${PARENT}-01`);
  });

  it('shows a second attempt, and which runner was lost', async () => {
    const broken = await servers.upstream((request) => request.socket.destroy());
    const good = await servers.upstream((_, response) => response.end('{}'));
    const desk = new SmallDesk(broken.baseUrl, good.baseUrl);
    const corral = await servers.corral(desk, { beginTrace: tracing.begin });

    await ask(corral);
    await spans();

    expect(collector.named('wait')).to.have.lengthOf(2);
    const results = collector
      .named('forward')
      .map(({ attributes, isError }) => [attributes['corral.runner'], attributes['corral.result'], isError]);
    expect(results).to.deep.equal([
      ['runner-0', 'lost-before-reply', true],
      ['runner-1', 'complete', false],
    ]);
    expect(only('POST /v1/chat/completions').attributes['corral.attempts']).to.equal(2);
  });

  it('ends the wait of a request that got no runner, and marks a failure of ours', async () => {
    const desk = new SmallDesk('http://127.0.0.1:9');
    desk.refusal = new Error('something unforeseen');
    const corral = await servers.corral(desk, { beginTrace: tracing.begin });

    const status = await ask(corral);
    await spans();

    expect(only('wait').attributes['corral.result']).to.equal('refused');
    const server = only('POST /v1/chat/completions');
    expect([server.isError, server.attributes['http.response.status_code']]).to.deep.equal([true, status]);
    expect(collector.named('forward')).to.deep.equal([]);
  });

  it("has the size of Corral's own replies, and short values whatever a client sends", async () => {
    const desk = new SmallDesk('http://127.0.0.1:9');
    desk.refusal = new Error('something unforeseen');
    const corral = await servers.corral(desk, { beginTrace: tracing.begin });

    await ask(corral);
    await ask(corral, {}, `/upstream/tiny/${'x'.repeat(10_000)}`);
    await spans();

    const { attributes } = only('POST /v1/chat/completions');
    expect(attributes['http.response.body.size']).to.be.above(50);
    expect(only('POST /upstream/{model}').attributes['url.path']).to.have.lengthOf(256);
  });

  it('keeps the names of operations few', async () => {
    const upstream = await servers.upstream((_, response) => response.end('{}'));
    const corral = await servers.corral(new SmallDesk(upstream.baseUrl), { beginTrace: tracing.begin });

    await ask(corral, {}, '/upstream/tiny/v1/chat/completions');
    await spans();

    only('POST /upstream/{model}');
  });

  it('begins no trace that is not sampled, and follows the client that has one', async () => {
    await tracing.stop();
    tracing = start(collector.url, 0);
    const upstream = await servers.upstream((_, response) => response.end('{}'));
    const corral = await servers.corral(new SmallDesk(upstream.baseUrl), { beginTrace: tracing.begin });

    await ask(corral);
    await ask(corral, { traceparent: `00-${TRACE}-${PARENT}-01` });
    await ask(corral, { traceparent: 'nonsense' });
    await spans();

    expect(only('POST /v1/chat/completions').traceId).to.equal(TRACE);
  });

  it('loses its spans, and nothing else, when the collector is away, and says so', async () => {
    collector.stop();
    const upstream = await servers.upstream((_, response) => response.end('{}'));
    const corral = await servers.corral(new SmallDesk(upstream.baseUrl), { beginTrace: tracing.begin });

    expect(await ask(corral)).to.equal(200);
    await tracing.stop();

    expect(lines.map(({ event }) => event)).to.deep.equal(['tracing.failed']);
    expect(lines[0]).to.have.property('url', `${collector.url}/v1/traces`);
  });

  it('is on for the whole service as soon as a collector is configured', async () => {
    const models = await writeModels(['tiny']);
    const corral = await startCorral('embedded', {
      models: models.config(['tiny']),
      tracing: { endpoint: collector.url },
    });

    await corral.post('/v1/chat/completions', chat('tiny'));
    await corral.post('/api/chat', chat('tiny', { stream: false }));
    await corral.close();
    await models.remove();

    expect(new Set(collector.paths)).to.deep.equal(new Set(['/v1/traces']));
    const [server, load] = [only('POST /v1/chat/completions'), only('load')];
    expect(load.traceId).to.equal(server.traceId);
    expect(load.startMs).to.be.greaterThan(server.startMs - 5);
    expect(load.endMs).to.be.lessThan(server.endMs + 5);
    expect(only('POST /api/chat').attributes).to.include({ 'corral.api': 'ollama', 'corral.outcome': 'ok' });
  });
});

describe('the collector', () => {
  const found = (tracing: object, env: NodeJS.ProcessEnv = {}): unknown =>
    findCollector(parseConfig(JSON.stringify({ tracing })), env)?.url ?? null;

  it("is the configured one, else that of OpenTelemetry's environment, else none", () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };

    expect(found({})).to.equal(null);
    expect(found({}, env)).to.equal('http://collector:4318/v1/traces');
    expect(found({ endpoint: 'http://127.0.0.1:4318' }, env)).to.equal('http://127.0.0.1:4318/v1/traces');
    expect(found({ endpoint: 'https://host/own/path' })).to.equal('https://host/own/path');
    expect(found({}, { ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other/t' })).to.equal(
      'http://other/t',
    );
    expect(found({ endpoint: 'http://127.0.0.1:4318' }, { OTEL_SDK_DISABLED: 'true' })).to.equal(null);
  });

  it('has to be an address', () => {
    expect(() => found({ endpoint: 'localhost:4318' })).to.throw(
      /tracing\.endpoint: expected an address such as http:\/\/127\.0\.0\.1:4318, found "localhost:4318"/,
    );
    expect(() => found({ sampleRate: 2 })).to.throw(/tracing\.sampleRate/);
  });
});
