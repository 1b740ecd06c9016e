import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConversationFolder, draftOf } from '../../actors/conversations/conversation-folder.ts';
import { bytesPerToken, isWorthKeeping, whyNotKept } from '../../machines/planning/conversations.ts';
import type { ModelShape } from '../../machines/planning/memory-need.ts';
import { aModel } from '../support/pool.ts';

const DAY_MS = 86_400_000;
const launch = aModel('a', 8, {
  launch: { ...aModel('a', 8).launch, conversations: { fingerprint: 'one', bytesPerToken: 1 } },
}).launch;
const otherwise = { ...launch, conversations: { fingerprint: 'two', bytesPerToken: 1 } };

describe('the folder of kept conversations', () => {
  let root: string;
  let folder: ConversationFolder;
  beforeEach(async () => {
    root = join(await mkdtemp(join(tmpdir(), 'corral-conversations-')), 'conversations');
    folder = new ConversationFolder(root, { mostBytes: 1_000, mostAgeMs: 7 * DAY_MS });
  });
  afterEach(() => rm(join(root, '..'), { recursive: true, force: true }));

  /** A complete file, so many days old. */
  async function keep(model: string, slot: number, bytes: number, days = 0): Promise<string> {
    const place = await folder.prepare(model, launch);
    const path = join(place, `slot-${slot}.${bytes}.kv`);
    await writeFile(path, 'x'.repeat(bytes));
    const at = new Date(Date.now() - days * DAY_MS);
    await utimes(path, at, at);
    return path;
  }
  const isThere = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );

  it('is closed to everybody else', async () => {
    const place = await folder.prepare('a', launch);

    for (const path of [root, join(place, '..'), place])
      expect((await stat(path)).mode & 0o077, path).to.equal(0);
  });

  it('has what is complete and not too old, the newest first', async () => {
    await keep('a', 0, 10, 1);
    await keep('a', 1, 10, 8);
    await keep('a', 2, 10);
    const place = await folder.placeOf('a', launch);
    await writeFile(join(place, 'slot-3.runner-1.part'), 'half');

    expect((await folder.keptIn(place)).map(({ slot }) => slot)).to.deep.equal([2, 0]);
  });

  it('does not count what has not its size any more, nor what ended its reader', async () => {
    const cut = await keep('a', 0, 10);
    await writeFile(cut, 'half');
    await keep('a', 1, 10);
    const place = await folder.placeOf('a', launch);
    const [file] = await folder.keptIn(place);
    if (file) await folder.beginReading(file);

    expect(file?.slot).to.equal(1);
    expect(await folder.keptIn(place)).to.deep.equal([]);
  });

  it('loses what no process of the model could read any more, when one is started', async () => {
    const [ours, theirs] = [await keep('a', 0, 10), await keep('b', 0, 10)];

    await folder.prepare('a', otherwise);

    expect([await isThere(ours), await isThere(theirs)]).to.deep.equal([false, true]);
  });

  it('stays within its bounds: the oldest go first, and what is too old in any case', async () => {
    const [oldest, old, fresh] = [
      await keep('a', 0, 600, 3),
      await keep('b', 0, 600, 2),
      await keep('c', 0, 300),
    ];
    const tooOld = await keep('c', 1, 1, 8);

    await folder.tidy();

    expect(await Promise.all([oldest, old, fresh, tooOld].map(isThere))).to.deep.equal([
      false,
      true,
      true,
      false,
    ]);
  });

  describe('with several processes of a model', () => {
    const write = async (runnerId: string, slot: number, text: string): Promise<void> => {
      const place = await folder.prepare('a', launch);
      await writeFile(join(place, draftOf(slot, runnerId)), text);
      await folder.keep(place, runnerId, slot, draftOf(slot, runnerId));
    };
    const read = async (runnerId: string, slots = 1): Promise<string[]> => {
      const place = await folder.placeOf('a', launch);
      const chosen = await folder.chooseFor(place, runnerId, slots);
      const texts = chosen.map(
        async ({ file, slot }) => `${slot}: ${await readFile(file.path, { encoding: 'utf8' })}`,
      );
      return (await Promise.all(texts)).toSorted();
    };

    it('keeps those of each, and gives each to another one', async () => {
      await write('runner-1', 0, 'of the first');
      await write('runner-2', 0, 'of the second');

      const [one, other] = [await read('runner-3'), await read('runner-4')];

      expect([...one, ...other]).to.have.members(['0: of the first', '0: of the second']);
    });

    it('gives all to one that has slots for them', async () => {
      await write('runner-1', 0, 'of the first');
      await write('runner-2', 0, 'of the second');

      const texts = await read('runner-3', 2);

      expect(texts.map((text) => text.slice(3))).to.have.members(['of the first', 'of the second']);
      expect(texts.map((text) => text.slice(0, 1))).to.deep.equal(['0', '1']);
    });

    it('replaces what a process has gone on from, and nothing else', async () => {
      await write('runner-1', 0, 'before');
      await write('runner-2', 0, 'another');
      folder.release('runner-1');
      folder.release('runner-2');
      const [had = ''] = await read('runner-3');

      await write('runner-3', 0, 'after');
      folder.release('runner-3');

      const texts = await read('runner-4', 2);
      expect(texts.map((text) => text.slice(3))).to.have.members(
        ['before', 'another', 'after'].filter((text) => !had.endsWith(text)),
      );
    });
  });

  it('is rid of what a crash has left, and not of what is being written', async () => {
    const place = await folder.prepare('a', launch);
    const [left, written] = ['slot-0.runner-1.part', 'slot-1.runner-1.part'].map((name) => join(place, name));
    for (const path of [left, written]) await writeFile(path ?? '', 'half');
    const before = new Date(Date.now() - DAY_MS);
    await utimes(left ?? '', before, before);

    await folder.tidy();

    expect(await readdir(place)).to.deep.equal(['slot-1.runner-1.part']);
  });

  it('forgets one model or all, and says how much that was', async () => {
    await keep('a', 0, 10);
    await keep('b', 0, 20);

    expect(await folder.forget('a')).to.equal(10);
    expect(await folder.forget()).to.equal(20);
    expect(await folder.forget()).to.equal(0);
  });

  it('is not used through a link', async () => {
    const elsewhere = join(root, '..', 'elsewhere');
    await mkdir(elsewhere);
    await symlink(elsewhere, root);

    const refused = await folder.prepare('a', launch).then(
      () => 'made',
      (error: Error) => error.message,
    );

    expect(refused).to.match(/no folder, or a link/);
  });
});

describe('a conversation', () => {
  const keeping = { tokens: 2_000, bytesPerToken: 23_040, prefillMsPerToken: 9, diskBytesPerMs: 1e6 };

  it('is kept where computing it anew takes much longer than writing and reading it', () => {
    expect(isWorthKeeping(keeping)).to.equal(true);
    // A fast GPU and a slow disk.
    expect(isWorthKeeping({ ...keeping, prefillMsPerToken: 0.1, diskBytesPerMs: 1e5 })).to.equal(false);
    expect(isWorthKeeping({ ...keeping, tokens: 20 })).to.equal(false);
    expect(isWorthKeeping({ ...keeping, prefillMsPerToken: null })).to.equal(false);
  });

  const layer = { kvHeads: 3, keyLength: 64, valueLength: 64, windowTokens: null };
  const shape: ModelShape = {
    weightsBytes: 0,
    tokenEmbeddingBytes: 0,
    layers: 2,
    embeddingLength: 0,
    feedForwardLength: 0,
    heads: 9,
    attention: [layer, layer],
    recurrentBytesPerSlot: 0,
    vocabulary: 0,
    trainedContextTokens: 2_048,
  };

  it('takes keys and values of each layer that attends', () => {
    expect(bytesPerToken(shape)).to.equal(2 * 3 * 128 * 2);
  });

  it('is not kept where it would have to be computed anew all the same, with the reason', () => {
    const sliding = { ...shape, attention: [{ ...layer, windowTokens: 512 }] };
    expect(whyNotKept(shape, launch)).to.equal(null);
    expect(whyNotKept(sliding, launch)).to.match(/slides/);
    expect(whyNotKept(sliding, { ...launch, extraArgs: ['--swa-full'] })).to.equal(null);
    expect(whyNotKept({ ...shape, recurrentBytesPerSlot: 1 }, launch)).to.match(/recurrent/);
    expect(whyNotKept(shape, { ...launch, projectorPath: 'p.gguf' })).to.match(/see/);
    expect(whyNotKept(shape, { ...launch, embedding: true })).to.match(/no conversations/);
    expect(whyNotKept(shape, { ...launch, runtime: 'embedded' })).to.match(/embedded/);
  });
});
