import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { realModels } from '../../scripts/real-model-cache.ts';
import { freePort } from '../../actors/process/free-port.ts';

const script = fileURLToPath(new URL('../../scripts/fetch-real-models.ts', import.meta.url));

describe('npm run real-models', () => {
  it('says which model is missing when the index cannot be reached, and what follows', async function () {
    this.timeout(60_000);
    const cache = await mkdtemp(join(tmpdir(), 'corral-real-models-'));
    const nowhere = `http://127.0.0.1:${await freePort()}/`;
    const env = { ...process.env, XDG_CACHE_HOME: cache, PIP_INDEX_URL: nowhere, PIP_RETRIES: '0' };

    const { code, err } = await new Promise<{ code: unknown; err: string }>((resolve) =>
      execFile(process.execPath, ['--import', 'tsx', script], { env }, (error, _out, err) =>
        resolve({ code: error?.code, err }),
      ),
    );
    await rm(cache, { recursive: true });

    expect(code).to.equal(3);
    for (const { file } of Object.values(realModels))
      expect(err).to.contain(`*** ${file} is missing: the tests on real models are LEFT OUT.`);
  });
});
