import { expect } from 'chai';
import { recoveryPauseMs } from '../../machines/planning/recovery.ts';
import { LoneRunner, reading } from '../support/lone-runner.ts';
import { aModel } from '../support/pool.ts';

const DAY_MS = 86_400_000;
const onGpu = { laggingDevices: ['CUDA0'] };

describe('runner', () => {
  describe('while loading', () => {
    it('becomes idle once its process is ready', () => {
      const runner = new LoneRunner().loaded();

      expect(runner.state).to.equal('loaded.idle.counting');
      expect(runner.of('runner.loaded')).to.have.length(1);
    });

    it('is failed by silence, and each sign of life puts that off', () => {
      const runner = new LoneRunner();
      runner.readyAfterMs = null;
      runner.start();
      for (let i = 0; i < 10; i++) {
        runner.clock.advance(4_900);
        runner.tell({ type: 'process.activity', progress: i / 10 });
      }
      expect(runner.state).to.equal('loading.warming.waiting');

      runner.clock.advance(5_000);

      expect(runner.state).to.match(/^unloading/);
      expect(runner.actor.getSnapshot().context.failure?.code).to.equal('load_stalled');
    });

    it('is failed by its total limit, signs of life or not', () => {
      const limits = { ...new LoneRunner().actor.getSnapshot().context.limits, loadTotalMs: 12_000 };
      const runner = new LoneRunner({ limits });
      runner.readyAfterMs = null;
      runner.start();
      for (let i = 0; i < 3; i++) {
        runner.clock.advance(4_000);
        runner.tell({ type: 'process.activity', progress: null });
      }

      expect(runner.state).to.match(/^unloading/);
    });

    it('is aborted at once by a command to go, and lets nobody in', () => {
      const runner = new LoneRunner().start();
      runner.open('r1');
      expect(runner.granted).to.deep.equal([]);

      runner.expire();

      expect(runner.commands).to.deep.equal(['process.terminate']);
      runner.exit('SIGTERM');
      expect(runner.actor.getSnapshot().output).to.deep.equal({
        runnerId: 'runner-1',
        failure: null,
        wasReady: false,
      });
    });

    it('ends with the failure of a process that exits', () => {
      const runner = new LoneRunner().start();

      runner.exit();

      expect(runner.moves).to.deep.equal(['loading', 'vram-recovering', 'failed']);
      expect(runner.actor.getSnapshot().output?.failure?.code).to.equal('runner_crashed');
    });
  });

  describe('while idle', () => {
    it('goes when its keep-alive ends', () => {
      const runner = new LoneRunner().loaded();

      runner.clock.advance(9_999);
      expect(runner.state).to.equal('loaded.idle.counting');
      runner.clock.advance(1);

      expect(runner.state).to.equal('unloading.terminating');
    });

    it('takes a lease that comes at the very instant its keep-alive ends', () => {
      const runner = new LoneRunner().start();
      // Set before the keep-alive's own timer is: both are due at 11 s, and either may be first.
      runner.clock.setTimeout(() => runner.open('early'), 11_000);
      runner.clock.advance(1_000);
      runner.clock.setTimeout(() => runner.open('late'), 10_000);

      runner.clock.advance(10_000);

      expect(runner.state).to.equal('loaded.ready');
      expect(runner.granted).to.deep.equal(['early', 'late']);
    });

    it('stays for ever without a timer, and for 30 days with one', () => {
      const forever = new LoneRunner({ keepAlive: 'forever' }).loaded();
      const long = new LoneRunner({ keepAlive: 30 * DAY_MS }).loaded();

      expect(forever.state).to.equal('loaded.idle.kept');
      expect(forever.clock.pending).to.equal(0);
      long.clock.advance(30 * DAY_MS - 1);
      expect(long.state).to.equal('loaded.idle.counting');
      long.clock.advance(1);
      expect(long.state).to.match(/^unloading/);
    });

    it('goes at once with a keep-alive of 0, after its lease', () => {
      const runner = new LoneRunner({ keepAlive: 'forever' }).loaded();
      runner.open('r1', 0);

      runner.close('r1');
      runner.clock.advance(0);

      expect(runner.state).to.match(/^unloading/);
    });

    it('counts anew when its keep-alive is changed', () => {
      const runner = new LoneRunner().loaded();
      runner.clock.advance(9_000);

      runner.actor.send({ type: 'runner.keep', keepAlive: 20_000, pinned: false });
      runner.clock.advance(19_999);
      expect(runner.state).to.equal('loaded.idle.counting');

      runner.actor.send({ type: 'runner.keep', keepAlive: 20_000, pinned: true });
      expect(runner.state).to.equal('loaded.idle.kept');
    });

    it('stays past its keep-alive in soft mode, and says so', () => {
      const runner = new LoneRunner({ keepAliveMode: 'soft' }).loaded();

      runner.clock.advance(10_000);

      expect(runner.state).to.equal('loaded.idle.overstaying');
      expect(runner.of('runner.overstayed')).to.have.length(1);
      runner.open('r1');
      expect(runner.state).to.equal('loaded.ready');
    });
  });

  describe('with leases', () => {
    it('is idle again when the last of them ends, and not before', () => {
      const runner = new LoneRunner().loaded();
      runner.open('r1');
      runner.open('r2');

      runner.close('r1');
      runner.close('r1');
      runner.close('never opened');
      expect(runner.state).to.equal('loaded.ready');
      runner.close('r2');

      expect(runner.state).to.equal('loaded.idle.counting');
    });

    it('finishes them before it goes, takes no new one, and never comes back', () => {
      const runner = new LoneRunner().loaded();
      runner.open('r1');

      runner.expire();
      runner.open('r2');
      runner.actor.send({ type: 'runner.keep', keepAlive: 'forever', pinned: true });
      expect(runner.state).to.equal('loaded.expiring');
      expect(runner.granted).to.deep.equal(['r1']);
      runner.close('r1');

      expect(runner.state).to.equal('unloading.terminating');
    });

    it('takes them away when its drain limit is over', () => {
      const runner = new LoneRunner().loaded();
      runner.open('r1');

      runner.expire(30_000);
      runner.clock.advance(30_000);

      expect(runner.lost).to.deep.equal([{ leaseId: 'r1', code: 'stopped' }]);
      expect(runner.state).to.equal('unloading.terminating');
    });

    it('shortens a drain when it is told to, and does not lengthen it', () => {
      const runner = new LoneRunner().loaded();
      runner.open('r1');
      runner.expire(60_000);

      runner.expire(5_000);
      runner.expire(90_000);
      runner.clock.advance(5_000);

      expect(runner.state).to.equal('unloading.terminating');
    });

    it('loses them at once to a crash, to lost health and to a stop', () => {
      for (const end of [
        (runner: LoneRunner) => runner.exit(),
        (runner: LoneRunner) => runner.loseHealth(),
        (runner: LoneRunner) =>
          runner.actor.send({ type: 'runner.stop', failure: { code: 'stopped', message: 'stop' } }),
      ]) {
        const runner = new LoneRunner().loaded();
        runner.open('r1');

        end(runner);

        expect(runner.lost.map(({ leaseId }) => leaseId)).to.deep.equal(['r1']);
        runner.open('r2');
        expect(runner.granted).to.deep.equal(['r1']);
      }
    });
  });

  describe('while unloading', () => {
    it('is killed after the grace, and an alarm is raised when even that does nothing', () => {
      const runner = new LoneRunner().loaded();
      runner.expire();

      runner.clock.advance(5_000);
      expect(runner.commands).to.deep.equal(['process.terminate', 'process.kill']);
      runner.clock.advance(10_000);

      expect(runner.state).to.equal('unloading.stuck');
      expect(runner.of('runner.stuck')).to.have.length(1);
      expect(runner.actor.getSnapshot().matches('alive')).to.equal(true);
      runner.exit('SIGKILL');
      expect(runner.actor.getSnapshot().status).to.equal('done');
    });

    it('measures first, and goes on when the probe fails or hangs', () => {
      for (const answer of [{ afterMs: 0, error: new Error('no') }, 'never'] as const) {
        const runner = new LoneRunner(onGpu).loaded();
        runner.probes.splice(0, 1, answer);

        runner.expire();
        runner.clock.advance(3_000);

        expect(runner.state).to.equal('unloading.terminating');
      }
    });
  });

  describe('whose conversations are kept', () => {
    const conversations = { fingerprint: 'f', bytesPerToken: 1 };
    const spec = aModel('a', 8, { launch: { ...aModel('a', 8).launch, conversations } });

    it('brings them back before it lets anybody in', () => {
      const runner = new LoneRunner({ spec });
      runner.restoring = { afterMs: 300, value: undefined };
      runner.loaded();

      expect(runner.state).to.equal('loading.restoring');
      expect(runner.of('runner.loaded')).to.deep.equal([]);
      runner.clock.advance(300);

      expect(runner.state).to.equal('loaded.idle.counting');
      expect(runner.of('runner.loaded')).to.have.length(1);
    });

    it('serves without them when that fails or hangs', () => {
      for (const restoring of [{ afterMs: 0, error: new Error('no') }, 'never'] as const) {
        const runner = new LoneRunner({ spec });
        runner.restoring = restoring;
        runner.loaded();

        runner.clock.advance(5_000);

        expect(runner.state).to.equal('loaded.idle.counting');
      }
    });

    it('keeps them before its process is told to end', () => {
      const runner = new LoneRunner({ spec }).loaded();
      runner.saving = { afterMs: 300, value: undefined };

      runner.expire();
      expect([runner.state, ...runner.commands]).to.deep.equal(['unloading.saving']);
      runner.clock.advance(300);

      expect([runner.state, ...runner.commands]).to.deep.equal([
        'unloading.terminating',
        'process.terminate',
      ]);
    });

    it('ends without them when that fails or hangs, and at once when it is told to stop', () => {
      for (const [saving, waitMs] of [
        [{ afterMs: 0, error: new Error('No space left on device') }, 0],
        ['never', 5_000],
      ] as const) {
        const runner = new LoneRunner({ spec }).loaded();
        runner.saving = saving;
        runner.expire();
        runner.clock.advance(waitMs);
        expect(runner.commands).to.deep.equal(['process.terminate']);
      }
      const runner = new LoneRunner({ spec }).loaded();
      runner.saving = 'never';
      runner.expire();
      runner.actor.send({ type: 'runner.stop', failure: { code: 'stopped', message: 'now' } });

      expect(runner.commands).to.deep.equal(['process.terminate']);
    });

    it('keeps nothing of a process that has failed, or has to go now', () => {
      for (const end of [
        (runner: LoneRunner) => runner.loseHealth(),
        (runner: LoneRunner) =>
          runner.actor.send({ type: 'runner.stop', failure: { code: 'stopped', message: 'now' } }),
      ]) {
        const runner = new LoneRunner({ spec }).loaded();
        runner.saving = 'never';
        end(runner);

        expect(runner.commands).to.deep.equal(['process.terminate']);
      }
    });
  });

  describe('while its memory comes back', () => {
    const unloaded = (...probes: LoneRunner['probes']): LoneRunner => {
      const runner = new LoneRunner(onGpu).loaded();
      runner.probes.splice(0, 1, ...probes);
      runner.expire();
      runner.clock.advance(0);
      runner.exit('SIGTERM');
      return runner;
    };
    const at = (freeGib: number | null) => ({ afterMs: 0, value: reading(freeGib) });

    it('polls until most of it is free again', () => {
      const runner = unloaded(at(10), at(10), at(12), at(17));

      runner.clock.advance(recoveryPauseMs(1, Infinity));
      expect(runner.state).to.match(/^vram-recovering/);
      runner.clock.advance(recoveryPauseMs(2, Infinity));

      expect(runner.actor.getSnapshot().status).to.equal('done');
      expect(runner.of('runner.unrecovered')).to.have.length(0);
    });

    it('gives up after its limit, once, and says so once', () => {
      const runner = unloaded(at(10), at(10));

      runner.clock.advance(60_000);

      expect(runner.of('runner.unrecovered')).to.have.length(1);
      expect(runner.actor.getSnapshot().status).to.equal('done');
      expect(runner.clock.pending).to.equal(0);
    });

    it('is not fooled by memory that others take, by failed probes, or by an unknown baseline', () => {
      for (const probes of [
        [at(10), at(4)],
        [at(10), { afterMs: 0, error: new Error('no') } as const],
        [at(10), at(null)],
        [at(null), at(20)],
        [{ afterMs: 0, error: new Error('no') } as const, at(20)],
      ]) {
        const runner = unloaded(...probes);

        runner.clock.advance(4_900);
        expect(runner.state).to.match(/^vram-recovering/);
        runner.clock.advance(200);

        expect(runner.of('runner.unrecovered')).to.have.length(1);
      }
    });

    it('waits no longer than one good reading for a process that had gone by itself', () => {
      const runner = new LoneRunner(onGpu).loaded();
      runner.probes.splice(0, 1, at(3));

      runner.exit('SIGSEGV');
      runner.clock.advance(0);

      expect(runner.actor.getSnapshot().status).to.equal('done');
    });

    it('does not wait at all where memory comes back with the process', () => {
      const runner = new LoneRunner().loaded();
      runner.expire();

      runner.exit('SIGTERM');

      expect(runner.moves).to.deep.equal(['loading', 'expiring', 'unloading', 'vram-recovering', 'gone']);
    });
  });
});
