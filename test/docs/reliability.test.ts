import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = fileURLToPath(new URL('../../scripts/write-reliability-doc.ts', import.meta.url));

describe('the table of faults in docs/reliability.md', () => {
  it('is what the titles of the tests say: npm run docs:faults writes it anew', async function () {
    this.timeout(60_000);
    // In a process of its own: here, the tests have been loaded, and would not tell their titles again.
    await promisify(execFile)(process.execPath, ['--import', 'tsx', script, '--check']);
  });
});
