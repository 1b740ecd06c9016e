import { expect } from 'chai';
import { aModel } from '../support/pool.ts';
import { aBrokenModel, Managed } from './support/managed.ts';

describe('the management API', () => {
  const models = [aModel('a', 16), aModel('b', 16), aModel('hf:user/repo', 4), aModel('vast', 100)];
  let managed: Managed;
  beforeEach(async () => {
    managed = await Managed.of(models, [aBrokenModel('broken')]);
  });

  describe('shows', () => {
    it('a model by name, by alias, and by a name with slashes', async () => {
      expect((await managed.get('/models/a')).body.name).to.equal('a');
      expect((await managed.get('/models/a-alias')).body.name).to.equal('a');
      expect((await managed.get('/models/hf%3Auser%2Frepo')).body.name).to.equal('hf:user/repo');
    });

    it('why a model cannot be used', async () => {
      const { body } = await managed.get('/models/broken');

      expect(body.state).to.equal('unusable');
      expect(body.problem.code).to.equal('model_file_missing');
    });

    it('a runner with its leases, its need and why it is in its state', async () => {
      managed.pool.world.modelOf('a').realBytes = 12 * 1024 ** 3;
      const spec = aModel('a', 16, { needSource: 'predicted' });
      managed.pool.request(spec);
      managed.pool.advance(5_000);

      const { body } = await managed.get('/runners/runner-1');

      expect(body).to.include({ model: 'a', state: 'ready', reason: 'serving', leases: 1, slots: 1 });
      expect(body).to.include({ needBytes: 16 * 1024 ** 3, measuredBytes: 12 * 1024 ** 3 });
      expect(body.reservedBytes).to.deep.equal({ CUDA0: 12 * 1024 ** 3 });
    });

    it('who waits, for what, since when, and how long it may take', async () => {
      const { pool } = managed;
      pool.world.modelOf('a').loadMs = 5_000;
      pool.request(aModel('a', 16));
      pool.request(aModel('a', 16));
      pool.advance(1_000);

      const { body } = await managed.get('/queue');

      expect(body.queue).to.have.length(2);
      expect(body.queue[0]).to.include({
        position: 1,
        reason: 'a is loading',
        waitedMs: 1_000,
        estimateMs: 4_000,
      });
      expect(body.queue[1]).to.include({ position: 2, estimateMs: null });
    });

    it('the decisions of one model or kind, the latest ones or those after another', async () => {
      const { pool } = managed;
      pool.request(aModel('a', 8), { runMs: 100 });
      pool.request(aModel('b', 8), { runMs: 100 });
      pool.advance(5_000);
      const kinds = async (query: string): Promise<string[]> =>
        (await managed.get(`/decisions${query}`)).body.decisions.map(
          ({ model, kind }: { model: string; kind: string }) => `${kind} ${model}`,
        );

      expect(await kinds('?model=a-alias')).to.deep.equal(['load a', 'loaded a', 'grant a']);
      expect(await kinds('?kind=load')).to.deep.equal(['load a', 'load b']);
      expect(await kinds('?limit=1&kind=load')).to.deep.equal(['load b']);
      expect(await kinds('?after=0&limit=1&kind=load')).to.deep.equal(['load a']);
      expect(await kinds('?after=1&kind=load')).to.deep.equal(['load b']);
      expect((await managed.get('/api/decisions?limit=1')).body.decisions).to.have.length(1);
    });
  });

  describe('explains', () => {
    const explain = async (name: string): Promise<string> => {
      const { body } = await managed.get(`/explain/${name}`);
      return `${body.state}: ${body.reason}; ${body.next}`;
    };

    it('a model that nobody wants, one that cannot be used, and one that was refused', async () => {
      expect(await explain('a')).to.equal('unloaded: nobody has asked for it yet; a request for it loads it');
      expect(await explain('broken')).to.match(/^unusable: .*cannot be opened\.; its file has to be mended/);
      managed.pool.request(aModel('vast', 100));
      managed.pool.advance(0);
      expect(await explain('vast')).to.match(
        /^unloaded: vast needs 100\.0 GiB.*; a request for it is refused, until that has changed$/,
      );
    });

    it('a life, state by state', async () => {
      const { pool } = managed;
      const a = pool.request(aModel('a', 16, { keepAlive: 60_000 }));
      pool.advance(500);
      expect(await explain('a')).to.match(/^loading: .*; its process has to say that it is ready$/);
      pool.advance(5_000);
      expect(await explain('a')).to.equal('ready: serving; its lease has to end, then it stays for 60 s');
      a.end();
      pool.advance(1_000);
      expect(await explain('a')).to.match(/^idle: .*; it is unloaded in 59 s if nobody asks for it/);
      await managed.post('/models/a/pin', { pinned: true });
      expect(await explain('a')).to.match(/; it stays until it is unpinned or unloaded$/);
      await managed.post('/models/a/unload');
      expect(await explain('a')).to.equal(
        'unloading: it was stopped on request; its process has to end; it is killed 5 s after it was asked to (limits.terminate)',
      );
      pool.advance(500);
      expect(await explain('a')).to.match(/^vram-recovering: .*; its memory has to come back$/);
      pool.advance(60_000);
      expect(await explain('a')).to.equal('unloaded: it was stopped on request; a request for it loads it');
    });

    it('what it waits for, and who has to go first', async () => {
      const { pool } = managed;
      const a = pool.request(aModel('a', 16));
      pool.advance(5_000);
      pool.request(aModel('b', 16));
      pool.advance(100);
      expect(await explain('b')).to.match(
        /^unloaded: needs 16\.0 GiB on CUDA0; .* is in use; 16\.0 GiB have to become free/,
      );

      pool.advance(120_000);
      const { body } = await managed.get('/explain/b');

      expect(body.claim.awaits).to.deep.equal(['runner-1']);
      expect(body.next).to.equal('16.0 GiB are promised to it; it is loaded once runner-1 has gone');
      a.end();
    });

    it('a model whose load keeps failing', async () => {
      const { pool } = managed;
      const failure = { code: 'load_failed', message: 'a ended while loading.' } as const;
      pool.world.modelOf('a').fault = { kind: 'fails-to-load', afterMs: 100, failure };
      for (let i = 0; i < 4; i++) {
        pool.request(aModel('a', 16));
        pool.advance(8_000);
      }
      pool.request(aModel('a', 16));
      pool.advance(3_000);

      const { body } = await managed.get('/explain/a');

      expect(body.decisions.map(({ kind }: { kind: string }) => kind)).to.include('failed');
      expect(body.retryInMs).to.be.within(1_000, 60_000);
      expect(body.next).to.match(
        /^a request for it loads it, not before \d+ s have passed: its load kept failing$/,
      );
      expect(body.reason).to.equal('a ended while loading.');
    });
  });

  describe('loads', () => {
    it('at once, or answers when it is loaded', async () => {
      const begun = await managed.post('/models/a/load');
      expect([begun.status, begun.body.state]).to.deep.equal([202, 'loading']);

      const waiting = managed.post('/models/a/load?wait=true');
      await managed.get('/status');
      managed.pool.advance(5_000);
      const loaded = await waiting;

      expect([loaded.status, loaded.body.state]).to.deep.equal([200, 'idle']);
      expect(managed.pool.kinds('load')).to.deep.equal(['a']);
    });

    it('what is loaded already and busy, without waiting', async () => {
      managed.pool.request(aModel('a', 16));
      managed.pool.advance(5_000);

      expect((await managed.post('/models/a/load?wait=true')).body.state).to.equal('ready');
    });

    it('not what can never fit, and says so at once', async () => {
      const { status, body } = await managed.post('/models/vast/load');

      expect([status, body.code]).to.deep.equal([507, 'does_not_fit']);
      expect(body.detail).to.match(/vast needs 100\.0 GiB/);
    });

    it('and tells who waits how it has failed', async () => {
      const failure = { code: 'load_failed', message: 'a ended while loading.' } as const;
      managed.pool.world.modelOf('a').fault = { kind: 'fails-to-load', afterMs: 100, failure };
      const waiting = managed.post('/models/a/load?wait=true');
      await managed.get('/status');
      managed.pool.advance(5_000);

      const { status, body } = await waiting;

      expect([status, body.code, body.detail]).to.deep.equal([500, 'load_failed', 'a ended while loading.']);
    });

    it('no more once it is draining, and tells those who wait', async () => {
      managed.pool.world.modelOf('a').loadMs = 60_000;
      const waiting = managed.post('/models/a/load?wait=true');
      await managed.get('/status');

      expect((await managed.post('/drain', { seconds: 5 })).body.state).to.equal('draining');
      managed.pool.advance(0);

      const late = await managed.post('/models/b/load');
      expect([(await waiting).body.code, late.body.code]).to.deep.equal(['shutting_down', 'shutting_down']);
      expect([late.status, late.headers['retry-after']]).to.deep.equal([503, '10']);
    });
  });

  describe('unloads', () => {
    it('after running requests, at once by force, and refuses those who wait', async () => {
      const running = managed.pool.request(aModel('a', 16));
      managed.pool.advance(5_000);
      const waiting = managed.pool.request(aModel('a', 16));

      const polite = await managed.post('/models/a/unload', { drainSeconds: 60 });
      managed.pool.advance(0);
      expect([polite.status, polite.body.state, running.lost]).to.deep.equal([202, 'expiring', undefined]);
      expect(waiting.failure?.code).to.equal('stopped');
      await managed.post('/models/a/unload', { force: true });
      managed.pool.advance(0);

      expect(running.lost?.code).to.equal('stopped');
    });

    it('nothing that is not loaded', async () => {
      const { status, body } = await managed.post('/models/a/unload');

      expect([status, body.code, body.title]).to.deep.equal([409, 'not_loaded', 'Conflict']);
    });
  });

  describe('pins', () => {
    it('a model: it is loaded and kept, until it is unpinned', async () => {
      const { pool } = managed;
      expect((await managed.post('/models/a/pin', { pinned: true })).body.state).to.equal('loading');
      pool.advance(3_600_000);
      expect((await managed.get('/models/a')).body.options.pinned).to.equal(true);
      expect(pool.states()).to.deep.equal(['a idle']);

      await managed.post('/models/a/pin', { pinned: false, keepAlive: '10s' });
      pool.advance(20_000);

      expect(pool.states()).to.deep.equal([]);
      expect((await managed.get('/models/a')).body.options).to.include({
        pinned: false,
        keepAliveMs: 10_000,
      });
    });

    it('it for later loads, too', async () => {
      await managed.post('/models/a/pin', { pinned: false, keepAlive: 'forever' });
      await managed.post('/models/a/load');
      managed.pool.advance(3_600_000);

      expect((await managed.get('/runners/runner-1')).body).to.include({
        state: 'idle',
        keepAliveMs: 'forever',
      });
    });
  });

  it('stops one runner, and not one that is ending', async () => {
    managed.pool.request(aModel('a', 16));
    managed.pool.advance(5_000);

    const stopped = await managed.post('/runners/runner-1/stop', { force: true });
    const again = await managed.post('/runners/runner-1/stop');

    expect([stopped.status, stopped.body.state]).to.deep.equal([202, 'unloading']);
    expect([again.status, again.body.code]).to.deep.equal([409, 'already_ending']);
  });

  describe('refuses', () => {
    it('names that are not there, and has near misses', async () => {
      const model = await managed.get('/models/hf%3Auser%2Frepos');
      await managed.post('/models/a/load');
      const runner = await managed.get('/runners/runner-11');

      expect([model.status, model.body.code]).to.deep.equal([404, 'model_not_found']);
      expect(model.body.nearMisses).to.deep.equal(['hf:user/repo']);
      expect([runner.status, runner.body.code]).to.deep.equal([404, 'runner_not_found']);
      expect(runner.body.nearMisses).to.deep.equal(['runner-1']);
      expect(model.headers['content-type']).to.equal('application/problem+json; charset=utf-8');
    });

    it('what is wrong, part by part', async () => {
      const { status, body } = await managed.post('/models/a/unload?x=1', {
        drainSeconds: 'soon',
        fast: true,
      });
      const deep = await managed.post('/models/a/unload', { drainSeconds: 'soon', fast: true });

      expect([status, body.code, body.errors[0].path]).to.deep.equal([400, 'invalid_request', 'query.x']);
      expect(deep.body.errors.map(({ path }: { path: string }) => path)).to.deep.equal([
        'body.drainSeconds',
        'body.fast',
      ]);
    });

    it('methods that a path does not take, and says which it does', async () => {
      const put = await managed.send('PUT', '/models/a/load');
      const odd = await managed.send('PROPFIND', '/status');
      const asked = await managed.send('OPTIONS', '/status');

      expect([put.status, put.headers['allow']]).to.deep.equal([405, 'POST, OPTIONS']);
      expect([odd.status, odd.headers['allow']]).to.deep.equal([405, 'GET, HEAD, OPTIONS']);
      expect([asked.status, asked.headers['allow']]).to.deep.equal([204, 'GET, HEAD, OPTIONS']);
      expect((await managed.send('HEAD', '/status')).status).to.equal(200);
      expect((await managed.get('/nothing')).body.code).to.equal('route_not_found');
    });

    it('bodies that are too large, or not JSON', async () => {
      const large = await managed.post('/drain', `{"seconds":${' '.repeat(70_000)}1}`);
      const form = await managed.post('/drain', 'seconds=1', { 'content-type': 'text/plain' });

      expect([large.status, large.body.code]).to.deep.equal([413, 'body_too_large']);
      expect([form.status, form.body.code]).to.deep.equal([415, 'unsupported_media_type']);
    });
  });
});
