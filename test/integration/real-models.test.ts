import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import OpenAI from 'openai';
import { request } from 'undici';
import { residentBytes } from '../../actors/process/resident-bytes.ts';
import { startCorral, type Corral } from '../support/corral.ts';
import { withRealModels } from '../support/real-models.ts';

type Asked = OpenAI.ChatCompletionCreateParamsNonStreaming;

const MIB = 1024 ** 2;
/** Two threads that wait for each other are slow where something else runs, too. */
const oneThread = ['--threads', '1'];
const toolTemplate = fileURLToPath(new URL('../fixtures/tools.jinja', import.meta.url));
const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
      required: ['city', 'unit'],
    },
  },
};
const user = (content: string) => ({ role: 'user' as const, content });
const lines = (count: number): string =>
  Array.from({ length: count }, (_, i) => `Line ${i}: the quick brown fox jumps over the lazy dog.`).join(
    '\n',
  );
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

// What they say is nonsense at this size; that it is theirs, and in the form that was asked for, is what is tested.
withRealModels(
  'real models on the real llama-server, through Corral',
  'llama-server',
  ({ smollm2, gemma }) => {
    let corral: Corral;
    let client: OpenAI;
    before(async () => {
      corral = await startCorral('llama-server', {
        models: {
          smollm2: { path: smollm2, context: 2048, args: oneThread },
          caller: {
            path: smollm2,
            context: 1024,
            args: [...oneThread, '--chat-template-file', toolTemplate],
          },
          vectors: { path: smollm2, kind: 'embedding', args: [...oneThread, '--pooling', 'mean'] },
          gemma: { path: gemma, context: 2048, slots: 1, args: oneThread },
        },
      });
      client = new OpenAI({ baseURL: `${corral.url}/v1`, apiKey: 'unused', maxRetries: 0 });
    });
    after(() => corral.close());

    const chat = (over: Partial<Asked>) =>
      client.chat.completions.create({
        model: 'smollm2',
        temperature: 0,
        max_tokens: 24,
        messages: [user('What is the capital of France?')],
        ...over,
      });

    it('are asked by the chat template in their file', async function () {
      this.timeout(120_000);
      const { body } = await corral.post('/apply-template', { model: 'smollm2', messages: [user('Hi')] });

      expect(body).to.deep.equal({
        prompt:
          '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' +
          '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n',
      });
    });

    it('stream what they answer at once, word by word', async function () {
      this.timeout(120_000);
      const whole = await chat({});
      const stream = await client.chat.completions.create({
        model: 'smollm2',
        temperature: 0,
        max_tokens: 24,
        stream: true,
        messages: [user('What is the capital of France?')],
      });
      const pieces: string[] = [];
      for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '');

      expect(pieces.filter(Boolean)).to.have.length.greaterThan(10);
      expect(pieces.join('')).to.equal(whole.choices[0]?.message.content);
    });

    it('stop before a word that they were about to say', async function () {
      this.timeout(120_000);
      const said = (await chat({})).choices[0]?.message.content ?? '';
      const stop = said.split(' ')[5] ?? '';

      const [cut] = (await chat({ stop: [` ${stop}`] })).choices;

      expect(stop).to.match(/\w/);
      expect(cut?.finish_reason).to.equal('stop');
      expect(cut?.message.content).to.equal(said.slice(0, said.indexOf(` ${stop}`)));
    });

    it('answer by the JSON schema that the request has', async function () {
      this.timeout(120_000);
      const schema = {
        type: 'object',
        properties: {
          city: { type: 'string', enum: ['Berlin', 'Oslo'] },
          population: { type: 'integer', minimum: 100, maximum: 999 },
        },
        required: ['city', 'population'],
        additionalProperties: false,
      };

      const reply = await chat({
        max_tokens: 60,
        response_format: { type: 'json_schema', json_schema: { name: 'city', strict: true, schema } },
      });

      const answer = JSON.parse(reply.choices[0]?.message.content ?? '') as Record<string, unknown>;
      expect(Object.keys(answer)).to.deep.equal(['city', 'population']);
      expect(answer['city']).to.be.oneOf(['Berlin', 'Oslo']);
      expect(answer['population']).to.be.within(100, 999);
    });

    it('call a tool, with the arguments that its schema asks for', async function () {
      this.timeout(120_000);
      const call = { name: 'weather', arguments: JSON.stringify({ city: 'Berlin', unit: 'celsius' }) };

      const reply = await chat({
        model: 'caller',
        max_tokens: 100,
        tools: [weather],
        tool_choice: 'required',
        messages: [
          user('What is the weather in Berlin?'),
          { role: 'assistant', content: '', tool_calls: [{ id: '1', type: 'function', function: call }] },
          { role: 'tool', tool_call_id: '1', content: '4 degrees' },
          { role: 'assistant', content: '4 degrees' },
          user('What is the weather in Paris?'),
        ],
      });

      const made = reply.choices[0]?.message.tool_calls?.[0];
      expect(reply.choices[0]?.finish_reason).to.equal('tool_calls');
      expect(made?.type === 'function' && made.function.name).to.equal('weather');
      const args: unknown = JSON.parse((made?.type === 'function' && made.function.arguments) || '');
      expect(args).to.deep.equal({ city: 'Paris', unit: 'celsius' });
    });

    it('read a long prompt once, and refuse one that is too long with both figures', async function () {
      this.timeout(240_000);
      const long = { messages: [user(lines(100))], max_tokens: 4 };

      const first = await chat(long);
      const again = await chat(long);
      const refused = await chat({ messages: [user(lines(300))] }).catch((error: unknown) => error);

      const read = first.usage?.prompt_tokens ?? 0;
      expect(read).to.be.within(1_200, 2_048);
      expect(again.usage?.prompt_tokens_details?.cached_tokens).to.be.greaterThan(read * 0.9);
      expect(refused).to.be.instanceOf(OpenAI.BadRequestError);
      expect(String(refused)).to.match(/\d+ tokens.*2048/);
    });

    it('embed texts so that alike ones are near', async function () {
      this.timeout(120_000);
      const input = ['A cat sits on the mat', 'A kitten lies on the rug', 'Interest rates rose by a quarter'];

      const { data } = await client.embeddings.create({ model: 'vectors', input, encoding_format: 'float' });

      const [cat = [], kitten = [], rates = []] = data.map(({ embedding }) => embedding);
      expect(cat).to.have.length(576);
      expect(dot(cat, cat)).to.be.closeTo(1, 1e-4);
      expect(dot(cat, kitten)).to.be.greaterThan(dot(cat, rates) + 0.05);
    });

    it('need as much main memory as was expected, within a tenth; both are printed', async function () {
      this.timeout(240_000);
      // A base model, which is not asked by a template; its layers look back 512 tokens, and less than this prompt has.
      await corral.post('/v1/completions', { model: 'gemma', prompt: lines(60), max_tokens: 4 });

      const answer = await request(`${corral.url}/api/v1/status`);
      const { runners: told } = (await answer.body.json()) as {
        runners: { model: string; pid: number; needBytes: number }[];
      };
      const rows = await Promise.all(
        told.map(async ({ model, pid, needBytes }) => {
          const measured = (await residentBytes(pid)) ?? 0;
          return { model, predicted: needBytes / MIB, measured: measured / MIB, ratio: needBytes / measured };
        }),
      );
      for (const { model, predicted, measured, ratio } of rows)
        console.log(
          `      ${model}: ${predicted.toFixed(0)} MiB predicted, ${measured.toFixed(0)} MiB measured ` +
            `(${((ratio - 1) * 100).toFixed(0)} %)`,
        );

      expect(rows.map(({ model }) => model)).to.include.members(['smollm2', 'caller', 'gemma', 'vectors']);
      // Of a batch of vectors, most has never been used here: real-needs.test.ts fills it.
      for (const { model, ratio } of rows)
        expect(ratio, model).to.be.within(0.9, model === 'vectors' ? Infinity : 1.1);
    });
  },
);
