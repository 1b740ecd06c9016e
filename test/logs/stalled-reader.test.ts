import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';

const program = new URL('../fixtures/log-much.ts', import.meta.url).pathname;

describe('the log', () => {
  it('keeps a bounded amount for a reader who takes nothing', async function () {
    this.timeout(60_000);
    const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr.pause();

    const [told] = (await once(child.stdout, 'data')) as [Buffer];
    child.kill('SIGKILL');

    expect(Number(told.toString())).to.be.below(24);
  });
});
