import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { play } from '../support/random-script/play.ts';
import { script } from '../support/random-script/script.ts';

/** In CI many; on somebody's own machine as many as one likes to wait for. `npm run nightly` plays a million. */
const RUNS = process.env['CI'] ? 4_000 : 800;
/** The same scripts each time and everywhere: what fails here has been broken by whoever sees it. Others are the nightly run's business. */
const SEED = 1_000;
const PROCESSES = 2;
const command = fileURLToPath(new URL('../../scripts/random-scripts.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

describe('any script of requests, cancels, stops and faults', () => {
  it(`keeps every promise, ${RUNS} times`, async function () {
    this.timeout(900_000);
    const options = { scripts: RUNS, seed: SEED, processes: PROCESSES };
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, command, ...flags], {
      // With XState as it is in production.
      env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' },
    });
    expect(stdout).to.contain('all promises kept');
  });

  it('gives the same decisions each time', () => {
    fc.assert(
      fc.property(script, (one) => play(one) === play(one)),
      { numRuns: 25, seed: SEED },
    );
  });
});
