/**
 * `npm run nightly [runs] [seed]`: plays random scripts of requests and faults through the statecharts, on all cores, and checks after
 * every step that every promise is kept. 1,000,000 by default. A counter-example is printed, small and with its seed; it belongs into
 * scenarios/, so that it never comes back.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { play, script } from '../test/support/random-script.ts';

const [runs = '1000000', seed = String(Date.now() % 2 ** 31), share] = process.argv.slice(2);

if (share === undefined) process.exitCode = await playOnAllCores(Number(runs), Number(seed));
else
  fc.assert(
    fc.property(script, (one) => void play(one)),
    { numRuns: Number(runs), seed: Number(seed) },
  );

async function playOnAllCores(total: number, firstSeed: number): Promise<number> {
  const workers = availableParallelism();
  const codes = await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const child = spawn(
        process.execPath,
        [
          ...process.execArgv,
          fileURLToPath(import.meta.url),
          String(Math.ceil(total / workers)),
          String(firstSeed + i),
          'share',
        ],
        { stdio: 'inherit' },
      );
      return new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
    }),
  );
  const failed = codes.find((code) => code !== 0) ?? 0;
  process.stdout.write(
    `${total} scripts from seed ${firstSeed} on: ${failed === 0 ? 'all promises kept' : 'FAILED'}\n`,
  );
  return failed;
}
