import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pullModel, type PullOptions, type Pulled } from '../../src/pull/pull-model.ts';
import { FakeHub, sha256 } from './support/fake-hub.ts';

const BYTES = 300_000;

/** What a promise was rejected with. */
const failure = async (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );

describe('a pull', () => {
  let folder: string;
  let hub: FakeHub;
  let content: Buffer;
  let notes: string[];
  let waits: number[];
  const at = (name: string): string => join(folder, 'u', 'r', name);
  const pull = (over: Partial<PullOptions> = {}): Promise<Pulled> =>
    pullModel({
      reference: 'hf:u/r',
      folder,
      hub: hub.hub(),
      signal: new AbortController().signal,
      withProjector: false,
      force: false,
      onProgress: ({ doneBytes }) => hub.reached(doneBytes),
      onNote: (note) => notes.push(note),
      sleep: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
      ...over,
    });
  const fileRequests = () => hub.seen.filter(({ path }) => path.includes('/resolve/'));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-pull-'));
    hub = await new FakeHub().start();
    content = randomBytes(BYTES);
    notes = [];
    waits = [];
    hub.files.set('m-Q4_K_M.gguf', content);
  });
  afterEach(async () => {
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('brings the file, under a folder of its repository, and leaves nothing else', async () => {
    const pulled = await pull();

    expect(pulled).to.deep.equal({ model: 'm-Q4_K_M', paths: [at('m-Q4_K_M.gguf')], projector: null });
    expect(await readFile(at('m-Q4_K_M.gguf'))).to.deep.equal(content);
    expect(await readdir(join(folder, 'u', 'r'))).to.deep.equal(['m-Q4_K_M.gguf']);
  });

  it('brings the parts of a split model together, and the projector when asked to', async () => {
    hub.files.clear();
    const [first, second] = ['Q8 0/m-00001-of-00002.gguf', 'Q8 0/m-00002-of-00002.gguf'] as const;
    for (const name of [first, second, 'mmproj-F16.gguf', 'README.md'])
      hub.files.set(name, randomBytes(1_000));

    const without = await pull();
    const pulled = await pull({ withProjector: true });

    expect(without).to.include({ model: 'm', projector: 'mmproj-F16.gguf' });
    expect(without.paths).to.deep.equal([at(first), at(second)]);
    expect(pulled.paths).to.deep.equal([at(first), at(second), at('mmproj-F16.gguf')]);
    expect(await readFile(at(second))).to.deep.equal(hub.files.get(second));
  });

  it('leaves what is there already, and does not touch what is there and differs', async () => {
    await pull();
    await pull();
    await writeFile(at('m-Q4_K_M.gguf'), 'mine');
    const error = await failure(pull());
    const kept = await readFile(at('m-Q4_K_M.gguf'), 'utf8');
    await pull({ force: true });

    expect(notes).to.deep.equal([`${at('m-Q4_K_M.gguf')} is there already.`]);
    expect(error.message).to.match(/is there with 4 bytes, the hub's has 300000; --force replaces it/);
    expect(kept).to.equal('mine');
    expect(await readFile(at('m-Q4_K_M.gguf'))).to.deep.equal(content);
    expect(fileRequests()).to.have.length(2);
  });

  it('goes on where the connection broke', async () => {
    hub.breakAfter(100_000);
    hub.breakAfter(50_000);

    await pull();

    expect(await readFile(at('m-Q4_K_M.gguf'))).to.deep.equal(content);
    expect(fileRequests().map(({ range }) => range)).to.deep.equal([
      undefined,
      'bytes=100000-',
      'bytes=150000-',
    ]);
    expect(waits).to.deep.equal([1_000, 1_000]);
  });

  it('goes on where an earlier pull was broken off', async () => {
    const stop = new AbortController();
    const error = await failure(
      pull({
        signal: stop.signal,
        onProgress: ({ doneBytes }) => {
          if (doneBytes > 0) stop.abort(new Error('enough'));
        },
      }),
    );
    const { size } = await stat(at('m-Q4_K_M.gguf.part'));
    const doneBytes: number[] = [];
    await pull({ onProgress: (progress) => doneBytes.push(progress.doneBytes) });

    expect(error.message).to.equal('enough');
    expect(size).to.be.greaterThan(0);
    expect(fileRequests()[1]?.range).to.equal(`bytes=${size}-`);
    expect(doneBytes[0]).to.equal(size);
    expect(doneBytes.at(-1)).to.equal(BYTES);
    expect(await readFile(at('m-Q4_K_M.gguf'))).to.deep.equal(content);
    expect(await readdir(join(folder, 'u', 'r'))).to.deep.equal(['m-Q4_K_M.gguf']);
  });

  it('starts over where ranges are not taken', async () => {
    hub.takesRanges = false;
    hub.breakAfter(100_000);

    await pull();

    expect(fileRequests().map(({ range }) => range !== undefined)).to.deep.equal([false, true]);
    expect(await readFile(at('m-Q4_K_M.gguf'))).to.deep.equal(content);
  });

  it('starts over when the file has another version, and never mixes two', async () => {
    hub.breakAfter(100_000);
    hub.etags.set('m-Q4_K_M.gguf', '"before"');
    hub.odd.push((request) => {
      if (request.headers.range !== undefined) hub.etags.set('m-Q4_K_M.gguf', '"after"');
      return false;
    });

    await pull();

    expect(fileRequests()).to.have.length(2);
    expect(await readFile(at('m-Q4_K_M.gguf'))).to.deep.equal(content);
  });

  it('starts over when the rest is of another version all the same', async () => {
    hub.breakAfter(100_000);
    hub.odd.push((request, response) => {
      if (request.headers.range === undefined) return false;
      const from = Number(/\d+/.exec(request.headers.range)?.[0]);
      response.writeHead(206, { etag: '"other"', 'content-range': `bytes ${from}-${BYTES - 1}/${BYTES}` });
      response.end(Buffer.alloc(BYTES - from));
      return true;
    });

    await pull();

    expect(fileRequests()).to.have.length(3);
    expect(await readFile(at('m-Q4_K_M.gguf'))).to.deep.equal(content);
  });

  it('starts over when the list tells another content than when it was broken off', async () => {
    hub.breakAfter(100_000);
    const stop = new AbortController();
    await failure(pull({ signal: stop.signal, sleep: () => Promise.reject(new Error('stopped')) }));
    content = randomBytes(BYTES);
    hub.files.set('m-Q4_K_M.gguf', content);

    await pull();

    expect(fileRequests()[1]?.range).to.equal(undefined);
    expect(await readFile(at('m-Q4_K_M.gguf'))).to.deep.equal(content);
  });

  it('that came wrong is deleted, with both checksums told', async () => {
    hub.oids.set('m-Q4_K_M.gguf', 'a'.repeat(64));

    const error = await failure(pull());

    expect(error.message).to.contain(`its SHA-256 is ${sha256(content)}, it should be ${'a'.repeat(64)}`);
    expect(await readdir(join(folder, 'u', 'r'))).to.deep.equal([]);
  });

  it('takes no more bytes than were told', async () => {
    hub.odd.push((request, response) => {
      if (!request.url?.includes('/resolve/')) return false;
      response.writeHead(200, { etag: '"x"' });
      response.end(Buffer.alloc(BYTES + 1));
      return true;
    });

    const error = await failure(pull());

    expect(error.message).to.contain('is longer than the 300000 bytes');
    expect((await stat(at('m-Q4_K_M.gguf.part'))).size).to.be.at.most(BYTES);
  });

  it('gives up when nothing more comes', async () => {
    for (let i = 0; i < 10; i++) hub.breakAfter(0);

    await failure(pull());

    expect(waits).to.deep.equal([1_000, 2_000, 4_000, 8_000, 16_000]);
  });

  it('does not go round for ever with a file that is shorter than told', async () => {
    hub.oids.set('m-Q4_K_M.gguf', sha256(content));
    for (let i = 0; i < 20; i++)
      hub.odd.push((request, response) => {
        if (!request.url?.includes('/resolve/')) return false;
        const isRest = request.headers.range !== undefined;
        response.writeHead(isRest ? 416 : 200, { etag: '"x"' });
        response.end(isRest ? '' : content.subarray(0, 100));
        return true;
      });

    const error = await failure(pull());

    expect(error.message).to.match(/ended at 100 of 300000|takes no ranges/);
  });

  for (const { status, says } of [
    { status: 401, says: /answers 401 to \/api\/models\/u\/r\/tree\/main: it needs a token in HF_TOKEN/ },
    { status: 403, says: /answers 403/ },
    { status: 404, says: /no such model or file/ },
  ])
    it(`says at once what ${status} means`, async () => {
      hub.odd.push((_, response) => !!response.writeHead(status).end());

      expect((await failure(pull())).message).to.match(says);
      expect(waits).to.deep.equal([]);
    });

  it('waits as long as a busy hub asks, with 429 and with 503', async () => {
    hub.odd.push((_, response) => !!response.writeHead(429, { 'retry-after': '7' }).end());
    hub.odd.push((request, response) =>
      request.url?.includes('/resolve/') ? !!response.writeHead(503, { 'retry-after': '3' }).end() : false,
    );

    await pull();

    expect(waits).to.deep.equal([7_000, 3_000]);
    expect(notes[0]).to.match(/429.*too many requests\. Trying again in 7 s/);
  });

  it('does not wait for hours', async () => {
    hub.odd.push((_, response) => !!response.writeHead(429, { 'retry-after': '7200' }).end());

    expect((await failure(pull())).message).to.match(/come back in 120 minutes/);
    expect(waits).to.deep.equal([]);
  });

  it('asks for room before it asks for a byte', async () => {
    const statfs = (): Promise<{ bavail: number; bsize: number }> =>
      Promise.resolve({ bavail: 1_000, bsize: 4_096 });

    const error = await failure(pull({ statfs }));

    expect(error.message).to.match(/has 4 MiB free; 0 MiB are to come, and 100 MiB stay free/);
    expect(fileRequests()).to.deep.equal([]);
  });

  it('tells the token to the hub, and not to where the hub sends it', async () => {
    const store = await new FakeHub().start();
    try {
      store.files.set('m-Q4_K_M.gguf', content);
      hub.filesFrom = store.url;

      await pull({ hub: hub.hub('hf_secret') });

      expect(hub.seen.map(({ authorization }) => authorization)).to.deep.equal([
        'Bearer hf_secret',
        'Bearer hf_secret',
      ]);
      expect(store.seen.map(({ authorization }) => authorization)).to.deep.equal([undefined]);
    } finally {
      await store.stop();
    }
  });

  it('does not follow redirects without end', async () => {
    hub.filesFrom = hub.url;

    expect((await failure(pull())).message).to.match(/redirects more than 5 times/);
  });

  it('reads a list of several pages', async () => {
    hub.odd.push((_, response) => {
      const link = `<${hub.url}/api/models/u/r/tree/main?recursive=1&cursor=2>; rel="next"`;
      response.writeHead(200, { link });
      response.end('[{"type":"file","path":"README.md","size":3}]');
      return true;
    });

    expect((await pull()).model).to.equal('m-Q4_K_M');
  });

  it('refuses a second pull of the same file, and lets go when it ends', async () => {
    let second: Error | null = null;
    let asked: Promise<void> | null = null;
    hub.odd.push((request) => {
      if (request.url?.includes('/resolve/')) asked = failure(pull()).then((error) => void (second = error));
      return false;
    });
    hub.breakAfter(10);
    const first = pull({
      // The first pull waits until the second has been refused.
      sleep: async () => {
        await asked;
      },
    });

    await first;

    expect(second)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/being pulled by another process/);
    expect(await readdir(join(folder, 'u', 'r'))).to.deep.equal(['m-Q4_K_M.gguf']);
  });
});
