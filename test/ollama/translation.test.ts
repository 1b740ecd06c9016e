import { expect } from 'chai';
import fc from 'fast-check';
import { RequestError } from '../../src/http/openai-errors.ts';
import { EventLines } from '../../src/http/ollama/event-lines.ts';
import { chatCall, generateCall } from '../../src/http/ollama/generation-call.ts';
import { GenerationReply, type Shape } from '../../src/http/ollama/generation-reply.ts';
import { readPiece } from '../../src/http/ollama/piece.ts';
import { chatRequest, generateRequest, readRequest } from '../../src/http/ollama/requests.ts';

const context = { contextTokens: 4096 };
const user = { role: 'user', content: 'hi' };
const toChat = (request: object) =>
  chatCall(readRequest(chatRequest, { model: 'm', messages: [user], ...request }), context);
const toGenerate = (request: object) =>
  generateCall(readRequest(generateRequest, { model: 'm', prompt: 'hi', ...request }), context);

describe("Ollama's requests", () => {
  it('become chats, streamed unless they say otherwise', () => {
    expect(toChat({})).to.deep.equal({
      path: '/v1/chat/completions',
      body: { model: 'm', messages: [user], stream: true, stream_options: { include_usage: true } },
      stream: true,
      ignored: [],
    });
    // Streamed in any case, since a stream ends at once when its client leaves.
    expect(toChat({ stream: false })).to.deep.equal({ ...toChat({}), stream: false });
  });

  it('ask nothing without messages, or without anything to go by', () => {
    expect(toChat({ messages: [] })).to.equal(null);
    expect(toChat({ messages: null })).to.equal(null);
    expect(toGenerate({ prompt: '' })).to.equal(null);
    expect(toGenerate({ prompt: null })).to.equal(null);
    expect(toGenerate({ prompt: '', images: ['/9j/'] })).to.not.equal(null);
  });

  it('map options to sampling, and name the others', () => {
    const options = {
      temperature: 0.5,
      top_k: 20,
      top_p: 0.9,
      min_p: 0.05,
      typical_p: 0.7,
      seed: 42,
      num_predict: 100,
      num_keep: 5,
      stop: ['\n', 'user:'],
      repeat_last_n: 33,
      repeat_penalty: 1.2,
      presence_penalty: 1.5,
      frequency_penalty: 1,
      num_ctx: 4096,
      num_gpu: 1,
      use_mmap: true,
      unheard_of: {},
      tfs_z: null,
    };

    const call = toChat({ options });

    expect(call?.body).to.include({
      temperature: 0.5,
      top_k: 20,
      top_p: 0.9,
      min_p: 0.05,
      typical_p: 0.7,
      seed: 42,
      n_predict: 100,
      n_keep: 5,
      repeat_last_n: 33,
      repeat_penalty: 1.2,
      presence_penalty: 1.5,
      frequency_penalty: 1,
    });
    expect(call?.body).to.have.deep.property('stop', ['\n', 'user:']);
    expect(call?.ignored).to.deep.equal(['num_gpu', 'use_mmap', 'unheard_of']);
    expect(toChat({ options: { num_predict: -2 } })?.body).to.not.have.property('n_predict');
    expect(toChat({ options: { num_ctx: 4097 } })?.ignored).to.deep.equal(['num_ctx']);
  });

  it('refuse options of the wrong type', () => {
    for (const options of [{ top_k: 1.5 }, { stop: [1] }, { num_ctx: 'many' }, { seed: '1' }])
      expect(() => toChat({ options })).to.throw(RequestError, /^option "/);
  });

  it('map the format', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } };

    for (const format of ['json', {}])
      expect(toChat({ format })?.body).to.have.deep.property('response_format', {
        type: 'json_schema',
        json_schema: { name: 'format', strict: true, schema: { type: 'object' } },
      });
    expect(toChat({ format: schema })?.body).to.have.deep.nested.property(
      'response_format.json_schema.schema',
      schema,
    );
    expect(toChat({ format: '' })?.body).to.not.have.property('response_format');
    expect(toGenerate({ raw: true, format: schema })?.body).to.have.deep.property('json_schema', schema);
  });

  it('map thinking', () => {
    const argumentsOf = (think: unknown) =>
      (toChat({ think })?.body as Record<string, unknown> | undefined)?.['chat_template_kwargs'];

    expect(argumentsOf(true)).to.deep.equal({ enable_thinking: true });
    expect(argumentsOf(false)).to.deep.equal({ enable_thinking: false });
    expect(argumentsOf('low')).to.deep.equal({ enable_thinking: true, reasoning_effort: 'low' });
    expect(argumentsOf(undefined)).to.equal(undefined);
  });

  it('give tool calls ids, and their arguments as text', () => {
    const call = (name: string, values: object) => ({ function: { name, arguments: values } });
    const tools = [{ type: 'function', function: { name: 'sum', parameters: {} } }];
    const messages = [
      user,
      {
        role: 'assistant',
        content: '',
        thinking: 'hm',
        tool_calls: [call('sum', { a: 1 }), call('now', {})],
      },
      { role: 'tool', content: 'noon', tool_name: 'now' },
      { role: 'tool', content: '1' },
      { role: 'assistant', content: '', tool_calls: [{ id: 'x', ...call('sum', { a: 2 }) }] },
      { role: 'tool', content: '2', tool_call_id: 'x' },
    ];

    expect(toChat({ messages, tools })?.body).to.deep.include({
      tools,
      messages: [
        user,
        {
          role: 'assistant',
          content: '',
          reasoning_content: 'hm',
          tool_calls: [
            { id: 'call_0', type: 'function', function: { name: 'sum', arguments: '{"a":1}' } },
            { id: 'call_1', type: 'function', function: { name: 'now', arguments: '{}' } },
          ],
        },
        { role: 'tool', content: 'noon', tool_call_id: 'call_1' },
        { role: 'tool', content: '1', tool_call_id: 'call_0' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ id: 'x', type: 'function', function: { name: 'sum', arguments: '{"a":2}' } }],
        },
        { role: 'tool', content: '2', tool_call_id: 'x' },
      ],
    });
  });

  it('show images as content, of the type that they are', () => {
    const images = ['iVBORw0KGgo', '/9j/4AAQ', 'UklGRg'];
    const urls = images.map((image, i) => `data:image/${['png', 'jpeg', 'webp'][i]};base64,${image}`);
    const content = [
      { type: 'text', text: 'hi' },
      ...urls.map((url) => ({ type: 'image_url', image_url: { url } })),
    ];

    expect(toChat({ messages: [{ ...user, images }] })?.body).to.have.deep.nested.property(
      'messages[0].content',
      content,
    );
    expect(toGenerate({ images })?.body).to.have.deep.nested.property('messages[0].content', content);
  });

  it('to generate become a chat, a completion or an infill', () => {
    expect(toGenerate({ system: 'be brief' })).to.deep.include({
      path: '/v1/chat/completions',
      body: {
        model: 'm',
        messages: [{ role: 'system', content: 'be brief' }, user],
        stream: true,
        stream_options: { include_usage: true },
      },
    });
    expect(toGenerate({ raw: true, stream: false, think: true })).to.deep.equal({
      path: '/v1/completions',
      body: { model: 'm', prompt: 'hi', stream: true, stream_options: { include_usage: true } },
      stream: false,
      ignored: ['think'],
    });
    expect(toGenerate({ suffix: '}' })).to.deep.include({
      path: '/infill',
      body: { model: 'm', input_prefix: 'hi', input_suffix: '}', stream: true },
    });
  });
});

describe("Ollama's replies", () => {
  const now = new Date('2026-01-02T03:04:05Z');
  const replyOf = (shape: Shape): GenerationReply =>
    new GenerationReply({ shape, model: 'm', now: () => now, times: () => ({ totalMs: 12.5, loadMs: 3 }) });
  const head = { model: 'm', created_at: '2026-01-02T03:04:05.000Z' };
  const delta = (part: object, finish: string | null = null) =>
    readPiece({ choices: [{ index: 0, delta: part, finish_reason: finish }] });
  const sums = readPiece({
    choices: [],
    usage: { prompt_tokens: 7, completion_tokens: 9 },
    timings: { prompt_ms: 1.5, predicted_ms: 2.25 },
  });
  const summed = {
    done: true,
    total_duration: 12_500_000,
    load_duration: 3_000_000,
    prompt_eval_count: 7,
    prompt_eval_duration: 1_500_000,
    eval_count: 9,
    eval_duration: 2_250_000,
  };

  it('tell texts and thoughts as they come, and the sums at the end', () => {
    const reply = replyOf('chat');

    expect(reply.line(delta({ role: 'assistant', content: null }))).to.equal(null);
    expect(reply.line(delta({ reasoning_content: 'hm' }))).to.deep.equal({
      ...head,
      message: { role: 'assistant', content: '', thinking: 'hm' },
      done: false,
    });
    expect(reply.line(delta({ content: 'hello' }))).to.deep.include({
      message: { role: 'assistant', content: 'hello' },
    });
    expect(reply.line(delta({}, 'length'))).to.equal(null);
    expect(reply.line(sums)).to.equal(null);
    expect(reply.closing()).to.deep.equal([
      { ...head, message: { role: 'assistant', content: '' }, ...summed, done_reason: 'length' },
    ]);
  });

  it('put tool calls together that come in parts', () => {
    const reply = replyOf('chat');
    const part = (index: number, over: object) => ({ index, function: over });

    reply.line(delta({ tool_calls: [{ id: 'x', ...part(0, { name: 'sum', arguments: '' }) }] }));
    reply.line(delta({ tool_calls: [part(0, { arguments: '{"a":' })] }));
    reply.line(delta({ tool_calls: [part(0, { arguments: '1}' })] }));
    reply.line(delta({ tool_calls: [{ id: 'y', ...part(1, { name: 'now' }) }] }, 'tool_calls'));
    const [calls, last] = reply.closing();

    expect(calls).to.deep.equal({
      ...head,
      message: {
        role: 'assistant',
        content: '',
        tool_calls: [
          { id: 'x', function: { index: 0, name: 'sum', arguments: { a: 1 } } },
          { id: 'y', function: { index: 1, name: 'now', arguments: {} } },
        ],
      },
      done: false,
    });
    expect(last).to.include({ done: true, done_reason: 'stop' });
  });

  it('hand on as text the arguments that were cut off', () => {
    const cut = { tool_calls: [{ id: 'x', function: { name: 'sum', arguments: '{"a":' } }] };

    expect(
      replyOf('chat').ofJson({
        choices: [{ message: { content: null, ...cut }, finish_reason: 'length' }],
      }),
    ).to.deep.include({ message: { role: 'assistant', content: '{"a":' }, done_reason: 'length' });
  });

  it('read all three shapes of a runner', () => {
    const native = {
      content: 'x',
      stop: true,
      stop_type: 'limit',
      tokens_evaluated: 7,
      tokens_predicted: 9,
      timings: { prompt_ms: 1.5, predicted_ms: 2.25 },
    };
    const text = { choices: [{ text: 'x', finish_reason: 'stop' }] };

    expect(replyOf('generate').ofJson(native)).to.deep.equal({
      ...head,
      response: 'x',
      ...summed,
      done_reason: 'length',
    });
    expect(replyOf('generate').ofJson(text)).to.include({ response: 'x', done_reason: 'stop' });
    expect(readPiece({ content: 'x', stop: false, tokens_evaluated: 3 }).counts).to.equal(null);
  });

  it('stand whatever a runner says', () => {
    for (const odd of [
      null,
      7,
      'x',
      [],
      {},
      { choices: [] },
      { choices: [{}] },
      { choices: [{ delta: {} }] },
    ])
      expect(readPiece(odd)).to.include({ text: '', error: null });
    expect(readPiece({ error: { message: 'no' } }).error).to.equal('no');
  });
});

describe("a runner's events", () => {
  it('are the same however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(500)), (texts, cuts) => {
        const bytes = Buffer.from(
          `: note\n\n${texts.map((text) => `data: ${JSON.stringify({ text })}\n\n`).join('')}data: [DONE]\n\n`,
        );
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
          bytes.length,
        ];
        const events = new EventLines();
        const values: unknown[] = [];

        for (const [i, from] of places.entries())
          events.push(bytes.subarray(from, places[i + 1]), (value) => values.push(value));

        expect(values).to.deep.equal(texts.map((text) => ({ text })));
      }),
    );
  });
});
