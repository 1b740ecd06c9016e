import { expect } from 'chai';
import { LoneRunner } from '../support/lone-runner.ts';

describe('a runner whose process says that it listens', () => {
  it('is asked at once, and not only when its turn comes', () => {
    const runner = new LoneRunner();
    runner.readyAfterMs = null;
    runner.start();
    expect(runner.state).to.equal('loading.warming.waiting');

    runner.readyAfterMs = 0;
    runner.tell({ type: 'process.listening' });
    runner.clock.advance(0);

    expect(runner.state).to.equal('loaded.idle.counting');
  });

  it('stays as it is when it serves already', () => {
    const runner = new LoneRunner().loaded();

    runner.tell({ type: 'process.listening' });

    expect(runner.state).to.equal('loaded.idle.counting');
  });
});
