import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { connect } from '../../src/client/client.ts';
import type { ActivityRow } from '../../src/activity/row-of.ts';
import { toCsv } from '../../src/activity/csv.ts';
import { rowOf } from '../../src/activity/row-of.ts';
import { newEntry } from '../../src/http/request-log.ts';
import { ReplyUsage } from '../../src/http/reply-usage.ts';
import { chat, runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

for (const runtime of runtimes)
  describe(`activity on ${runtime}`, function () {
    this.timeout(60_000);
    let models: TestModels;
    let corral: Corral;
    before(async () => {
      models = await writeModels(['tiny']);
      corral = await startCorral(runtime, {
        models: models.config(['tiny']),
        activity: { keep: 50, write: true, bodies: '1MiB' },
      });
    });
    after(async () => {
      await corral.close();
      await models.remove();
    });

    const rows = async (query = ''): Promise<readonly ActivityRow[]> => {
      const answer = await fetch(`${corral.url}/api/v1/activity${query}`);
      return ((await answer.json()) as { requests: ActivityRow[] }).requests;
    };
    /** One request is told at its end, which comes after its reply. */
    const lastAfter = async (id: number): Promise<ActivityRow> => {
      await until('it is told', async () => ((await rows()).at(-1)?.id ?? 0) > id);
      return (await rows()).at(-1) as ActivityRow;
    };

    it('tells of each request what it was, what it took, and its tokens', async () => {
      const { body } = await corral.post('/v1/chat/completions', chat('tiny', { max_tokens: 5 }));

      const row = await lastAfter(0);
      const usage = body['usage'] as unknown as Record<string, number>;
      expect(row).to.include({ model: 'tiny', caller: null, status: 200, outcome: 'ok', stream: false });
      expect(row).to.include({
        inputTokens: usage['prompt_tokens'],
        outputTokens: usage['completion_tokens'],
      });
      expect(row.loadMs).to.be.above(0);
      expect(row.durationMs).to.be.at.least(row.waitMs);
      expect(JSON.stringify(row)).to.not.include('hello');
    });

    it('has tokens of streams too, which reach the client as they came', async () => {
      const before = (await rows()).at(-1)?.id ?? 0;
      const { text } = await corral.post(
        '/v1/chat/completions',
        chat('tiny', { max_tokens: 5, stream: true, stream_options: { include_usage: true } }),
      );

      const row = await lastAfter(before);
      expect(row.stream).to.equal(true);
      expect(row.outputTokens).to.be.within(1, 5);
      expect(text.trimEnd().endsWith('data: [DONE]')).to.equal(true);
      expect(row.replyBytes).to.equal(Buffer.byteLength(text));
    });

    it('has those of the other APIs, and what was refused', async () => {
      const before = (await rows()).at(-1)?.id ?? 0;
      await corral.post('/api/chat', {
        model: 'tiny',
        stream: false,
        messages: [{ role: 'user', content: 'hi' }],
      });
      expect(await lastAfter(before)).to.include({ api: 'ollama', status: 200 });
      await corral.post('/v1/completions', { model: 'nobody', prompt: 'hi' });
      expect(await lastAfter(before + 1)).to.include({
        model: 'nobody',
        status: 404,
        outcome: 'refused',
        inputTokens: null,
      });
      expect((await rows('?model=tiny')).every(({ model }) => model === 'tiny')).to.equal(true);
      expect((await rows('?status=404')).map(({ model }) => model)).to.deep.equal(['nobody']);
      expect(await rows('?limit=1')).to.have.length(1);
    });

    it('is told as it happens, and as CSV', async () => {
      const seen: ActivityRow[] = [];
      const client = connect(`${corral.url.replace('http', 'ws')}/api/v1/ws`, {
        WebSocket,
      });
      client.subscribe('activity', {}, ({ entries }) => seen.splice(0, seen.length, ...entries));
      await until('the past is told', () => seen.length > 0);
      const count = seen.length;
      await corral.post('/v1/completions', { model: 'tiny', prompt: 'hi', max_tokens: 1 });
      await until('one more is told', () => seen.length === count + 1);
      client.close();

      const csv = await fetch(`${corral.url}/api/v1/activity.csv`);
      expect(csv.headers.get('content-type')).to.equal('text/csv; charset=utf-8');
      const lines = (await csv.text()).split('\r\n');
      expect(lines[0]).to.match(/^id,at,model,caller,/);
      expect(lines).to.have.length(count + 3);
    });

    it('keeps bodies where that is asked for, and writes the rest to a file', async () => {
      const before = (await rows()).at(-1)?.id ?? 0;
      await corral.post('/v1/chat/completions', chat('tiny', { max_tokens: 2, user: 'a-mark' }));
      const { id, hasBodies } = await lastAfter(before);

      expect(hasBodies).to.equal(true);
      const bodies = (await (await fetch(`${corral.url}/api/v1/activity/${id}`)).json()) as Record<
        string,
        string
      >;
      expect(bodies['request']).to.include('a-mark');
      expect(bodies['reply']).to.include('choices');
      const file = join(corral.folder, 'activity', 'requests.log');
      const written = (): Promise<string> => readFile(file, 'utf8').catch(() => '');
      await until('it is written', async () => (await written()).includes(`"id":${id},`));
      expect(await written()).to.not.include('a-mark');
    });
  });

describe('bodies', () => {
  it('are not kept unless that is asked for', async () => {
    const models = await writeModels(['tiny']);
    const corral = await startCorral('embedded', { models: models.config(['tiny']) });
    await corral.post('/v1/completions', { model: 'tiny', prompt: 'hi', max_tokens: 1 });

    await until('it is told', () => corral.activity.latest().length === 1);
    const { status } = await fetch(`${corral.url}/api/v1/activity/1`);
    expect(corral.activity.latest()[0]?.hasBodies).to.equal(false);
    expect(status).to.equal(404);
    await corral.close();
    await models.remove();
  });
});

describe('what a reply says of its tokens', () => {
  const usageOf = (...chunks: string[]) => {
    const usage = new ReplyUsage();
    for (const chunk of chunks) usage.see(Buffer.from(chunk));
    return usage.read();
  };

  for (const { title, chunks, usage } of [
    {
      title: "OpenAI's, with what was cached",
      chunks: [
        '{"usage":{"completion_tokens":7,"prompt_tokens":12,"prompt_tokens_details":{"cached_tokens":4}}}',
      ],
      usage: { inputTokens: 12, cachedTokens: 4, outputTokens: 7 },
    },
    {
      title: "llama-server's timings at the end of a stream",
      chunks: [
        'data: {}\n\n'.repeat(2_000),
        'data: {"timings":{"cache_n":3,"prompt_n":9,"prompt_ms":30.5,',
        '"predicted_n":8,"predicted_ms":100}}\n\n',
      ],
      usage: { inputTokens: 12, cachedTokens: 3, outputTokens: 8, promptMs: 30.5, generationMs: 100 },
    },
    {
      title: "Anthropic's, the prompt at the beginning",
      chunks: [
        '{"type":"message_start","message":{"usage":{"input_tokens":11,"cache_read_input_tokens":2}}}',
        'x'.repeat(20_000),
        '{"usage":{"output_tokens":5}}',
      ],
      usage: { inputTokens: 11, cachedTokens: 2, outputTokens: 5 },
    },
    { title: 'nothing', chunks: ['OggS', 'binary'], usage: {} },
    { title: 'nothing by what a model wrote', chunks: ['{"content":"\\"prompt_tokens\\": 5"}'], usage: {} },
  ])
    it(`is read: ${title}`, () => expect(usageOf(...chunks)).to.deep.equal(usage));

  it('makes speeds, without what was cached', () => {
    const entry = { ...newEntry('POST', '/v1/x', null), stream: true, firstByteMs: 100 };
    const end = { status: 200, durationMs: 1_100, api: 'openai' };

    const timed = rowOf(1, 0, entry, {
      ...end,
      usage: { inputTokens: 120, cachedTokens: 20, outputTokens: 50, promptMs: 50, generationMs: 500 },
    });
    const seen = rowOf(1, 0, entry, { ...end, usage: { inputTokens: 9, outputTokens: 50 } });

    expect([timed.promptPerSecond, timed.generatedPerSecond]).to.deep.equal([2_000, 100]);
    expect([seen.promptPerSecond, seen.generatedPerSecond]).to.deep.equal([null, 50]);
  });

  it('is no formula in a spreadsheet', () => {
    const row = rowOf(
      1,
      0,
      { ...newEntry('POST', '/v1/x', null), model: '=cmd(),"x"' },
      { status: 404, durationMs: 1, api: 'openai' },
    );

    expect(toCsv([row])).to.include(`"'=cmd(),""x"""`);
  });
});
