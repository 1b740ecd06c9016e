import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { realModels } from '../../scripts/real-model-cache.ts';
import { freePort } from '../../actors/process/free-port.ts';

/** Runs a script where no index can be reached. */
async function withoutIndex(script: string): Promise<{ code: unknown; err: string }> {
  const path = fileURLToPath(new URL(`../../scripts/${script}`, import.meta.url));
  const cache = await mkdtemp(join(tmpdir(), 'corral-cache-'));
  const nowhere = `http://127.0.0.1:${await freePort()}/`;
  const env = { ...process.env, XDG_CACHE_HOME: cache, PIP_INDEX_URL: nowhere, PIP_RETRIES: '0' };
  const told = await new Promise<{ code: unknown; err: string }>((resolve) =>
    execFile(process.execPath, ['--import', 'tsx', path], { env }, (error, _out, err) =>
      resolve({ code: error?.code, err }),
    ),
  );
  await rm(cache, { recursive: true });
  return told;
}

describe('where the index cannot be reached', function () {
  this.timeout(60_000);

  it('npm run real-models says which model is missing, and what follows', async () => {
    const { code, err } = await withoutIndex('fetch-real-models.ts');

    expect(code).to.equal(3);
    for (const { file } of Object.values(realModels))
      expect(err).to.contain(`*** ${file} is missing: the tests on real models are LEFT OUT.`);
  });

  it('npm run real-server says what is missing, and what follows', async () => {
    const { code, err } = await withoutIndex('fetch-real-server.ts');

    expect(code).to.equal(3);
    expect(err).to.contain(
      '*** RapidOCR is missing: the test with a real server of another kind is LEFT OUT.',
    );
  });
});
