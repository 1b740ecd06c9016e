import { copyFile, mkdtemp, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { request } from 'undici';
import { startCorral, type Corral } from '../support/corral.ts';
import { withRealModels } from '../support/real-models.ts';

const oneThread = ['--threads', '1'];
const text = (about: string, lines: number): string =>
  Array.from({ length: lines }, (_, i) => `${about} ${i}: the quick brown fox jumps over the lazy dog.`).join(
    '\n',
  );

interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

interface Turn {
  readonly content: string;
  readonly promptTokens: number;
  readonly cachedTokens: number;
}

/** A client that keeps a conversation going. */
class Conversation {
  readonly #corral: () => Corral;
  readonly #model: string;
  readonly #messages: Message[] = [];

  constructor(corral: () => Corral, model: string) {
    this.#corral = corral;
    this.#model = model;
  }

  async say(content: string): Promise<Turn> {
    this.#messages.push({ role: 'user', content });
    const { status, text: said } = await this.#corral().post('/v1/chat/completions', {
      model: this.#model,
      messages: this.#messages,
      temperature: 0,
      max_tokens: 8,
    });
    expect(status, said).to.equal(200);
    const { choices, usage } = JSON.parse(said) as {
      choices: { message: { content: string } }[];
      usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
    };
    const answer = choices[0]?.message.content ?? '';
    this.#messages.push({ role: 'assistant', content: answer });
    return {
      content: answer,
      promptTokens: usage.prompt_tokens,
      cachedTokens: usage.prompt_tokens_details.cached_tokens,
    };
  }
}

const twoOf = (path: string): Record<string, object> => ({
  a: { path, context: 2048, slots: 2, args: oneThread, memory: '600MiB' },
  b: { path, context: 1024, slots: 1, args: oneThread, memory: '600MiB' },
});

const filesOf = async (corral: Corral): Promise<string[]> =>
  (await readdir(join(corral.folder, 'conversations'), { recursive: true })).filter((name) =>
    name.endsWith('.kv'),
  );

withRealModels('conversations on models that exclude each other', 'llama-server', ({ smollm2, gemma }) => {
  let corral: Corral;
  const configOf = (over: object = {}): Record<string, unknown> => ({
    models: {
      ...twoOf(smollm2),
      // The same model, of which nothing is kept.
      control: twoOf(smollm2)['a'],
      sliding: { path: gemma, context: 1024, slots: 1, args: oneThread, memory: '600MiB' },
    },
    devices: { CPU: { memory: '1GiB' } },
    ...over,
  });
  beforeEach(async () => {
    corral = await startCorral('llama-server', configOf());
  });
  afterEach(() => corral.close());

  /** Evicts what is loaded. */
  const turnTo = (model: string) => new Conversation(() => corral, model).say('hi');

  it('go on where they were, and are answered as if nothing had been evicted', async () => {
    const [one, other] = [text('fox', 40), text('hen', 30)];
    const [ours, theirs] = [new Conversation(() => corral, 'a'), new Conversation(() => corral, 'a')];
    const first = await ours.say(one);
    await theirs.say(other);
    await turnTo('b');
    const second = await ours.say('And then?');
    const third = await theirs.say('And then?');

    expect(second.cachedTokens).to.be.above(0.95 * first.promptTokens);
    expect(third.cachedTokens).to.be.above(300);
    const undisturbed = new Conversation(() => corral, 'control');
    expect((await undisturbed.say(one)).content).to.equal(first.content);
    expect((await undisturbed.say('And then?')).content).to.equal(second.content);
  }).timeout(180_000);

  it('survive a restart of Corral, are private, and can be forgotten', async () => {
    const ours = new Conversation(() => corral, 'a');
    const first = await ours.say(text('fox', 40));
    const { folder } = corral;
    await corral.stop(10_000);
    const [file = ''] = await filesOf(corral);
    const kept = join(folder, 'conversations', file);
    expect((await stat(join(folder, 'conversations'))).mode & 0o077).to.equal(0);
    expect((await stat(kept)).size).to.be.above(1_000_000);
    const before = corral;
    corral = await startCorral('llama-server', configOf({ dataFolder: folder }));

    const second = await ours.say('And then?');

    expect(second.cachedTokens).to.be.above(0.95 * first.promptTokens);
    await before.close();
  }).timeout(180_000);

  it('that were cut on the disk are computed anew, and so are those of a file that has changed', async () => {
    await corral.close();
    const path = join(await mkdtemp(join(tmpdir(), 'corral-model-')), 'model.gguf');
    await copyFile(smollm2, path);
    corral = await startCorral('llama-server', configOf({ models: twoOf(path) }));
    const ours = new Conversation(() => corral, 'a');
    await ours.say(text('fox', 40));
    await turnTo('b');
    const [file = ''] = await filesOf(corral);
    const kept = join(corral.folder, 'conversations', file);
    const whole = await readFile(kept);
    await writeFile(kept, whole.subarray(0, whole.length / 2));
    expect((await ours.say('And then?')).cachedTokens).to.equal(0);
    await turnTo('b');
    expect(await filesOf(corral)).to.have.length(1);

    const later = new Date(Date.now() + 10_000);
    await utimes(path, later, later);
    const before = corral;
    await before.stop(10_000);
    corral = await startCorral('llama-server', configOf({ models: twoOf(path), dataFolder: before.folder }));

    expect((await ours.say('And after that?')).cachedTokens).to.equal(0);
    expect(await filesOf(before)).to.deep.equal([]);
    await before.close();
  }).timeout(180_000);

  it('keep no eviction from going on where they cannot be written', async () => {
    await writeFile(join(corral.folder, 'conversations'), 'a file where a folder should be');
    const ours = new Conversation(() => corral, 'a');
    await ours.say(text('fox', 40));
    await turnTo('b');

    expect((await ours.say('And then?')).cachedTokens).to.equal(0);
  }).timeout(120_000);

  it('of models that it would not help are not kept, and explain says why', async () => {
    await new Conversation(() => corral, 'sliding').say(text('fox', 20));
    await turnTo('b');

    expect(await filesOf(corral).catch(() => [])).to.deep.equal([]);
    const { body } = await request(`${corral.url}/api/v1/explain/sliding`);
    const { conversations } = (await body.json()) as { conversations: string };
    expect(conversations).to.match(/^not kept when it is unloaded: its attention slides/);
  }).timeout(120_000);
});
