import { expect } from 'chai';
import { RequestError } from '../../src/http/openai-errors.ts';
import { Thread } from '../../src/http/ollama/thread.ts';
import { Translator } from '../../src/http/ollama/translator.ts';

const contextTokens = 4096;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Longer than what is translated at once. */
const long = (name: string): string => `${name}${'.'.repeat(100_000)}`;

describe('the translator of long bodies', function () {
  this.timeout(30_000);
  let translator: Translator;
  beforeEach(() => (translator = new Translator()));
  afterEach(() => translator.close());

  const translated = async (content: string): Promise<string> => {
    const json = bytesOf(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }));
    const { call } = await translator.run('chat', { json, contextTokens });
    const { messages } = JSON.parse(Buffer.from(call?.body ?? []).toString()) as {
      messages: readonly { content: string }[];
    };
    return messages[0]?.content ?? '';
  };

  it('translates more of them than it has threads, and short ones at the same time', async () => {
    const texts = ['a', 'b', 'c', 'd', 'e'].flatMap((name) => [name, long(name)]);

    expect(await Promise.all(texts.map(translated))).to.deep.equal(texts);
  });

  it('says what is wrong with one, wherever it is read', async () => {
    for (const content of ['a', long('a')]) {
      const json = bytesOf(JSON.stringify({ model: 'm', messages: [{ role: 5, content }] }));
      const error: unknown = await translator
        .run('chat', { json, contextTokens })
        .catch((thrown: unknown) => thrown);

      expect(error).to.be.instanceOf(RequestError);
      expect(error).to.have.nested.property('problem.param', 'messages.0.role');
    }
  });

  it('gives up what is waiting when it is closed', async () => {
    const asked = ['a', 'b', 'c', 'd'].map((name) => translated(long(name)).catch(() => 'given up'));
    translator.close();

    expect(await Promise.all(asked)).to.deep.equal(Array(4).fill('given up'));
    expect(await translated(long('a')).catch(() => 'given up')).to.equal('given up');
  });
});

describe('a thread', function () {
  this.timeout(30_000);

  it('that ends in its work is said to have ended, with what it threw', async () => {
    const module = new URL('../fixtures/ends-in-its-work.mjs', import.meta.url);
    const ended: Thread[] = [];
    const thread = new Thread(module, { mostHeapMib: 32, idleMs: 60_000, onEnd: (one) => ended.push(one) });

    const of = async (job: string): Promise<unknown> =>
      thread.run(job, []).catch((error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error));

    expect(await of('answer')).to.equal('answered');
    expect(await of('take all memory')).to.equal('ERR_WORKER_OUT_OF_MEMORY');
    expect(thread.hasEnded).to.equal(true);
  });

  it('ends by itself when there is no more work', async () => {
    const module = new URL('../fixtures/ends-in-its-work.mjs', import.meta.url);
    await new Promise<void>((resolve) => {
      const thread = new Thread(module, { mostHeapMib: 32, idleMs: 1, onEnd: () => resolve() });
      void thread.run('answer', []);
    });
  });
});
