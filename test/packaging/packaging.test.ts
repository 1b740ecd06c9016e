import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseConfig } from '../../src/config/load-config.ts';
import { settingsOf } from '../../src/serve.ts';

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('the systemd unit', () => {
  let unit: string;
  before(async () => (unit = await read('packaging/corral.service')));
  const value = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1];

  it('gives Corral the time that it takes to stop, and leaves no runner behind', () => {
    const config = parseConfig('');
    const { conversationsMs, terminateGraceMs, recoveryLimitMs } = settingsOf(config).runner;

    expect(Number(value('TimeoutStopSec')) * 1000).to.be.greaterThan(
      config.shutdownGrace + conversationsMs + terminateGraceMs + recoveryLimitMs,
    );
    expect([value('KillMode'), value('KillSignal')]).to.deep.equal(['mixed', 'SIGTERM']);
  });

  it('names settings that there are', () => {
    const config = parseConfig('', 'corral.yaml', {
      CORRAL_DATA_FOLDER: value('Environment')?.split('=')[1],
    });

    expect(config.dataFolder).to.equal(`/var/lib/${value('StateDirectory')}`);
  });

  it('is one that systemd understands', async function () {
    const folder = await mkdtemp(join(tmpdir(), 'corral-unit-'));
    const path = join(folder, 'corral.service');
    // Its program is not installed here, and its user is not known.
    const here = unit
      .replace('/usr/bin/node', process.execPath)
      .replaceAll(/^(User|Group|Documentation)=.*$/gm, '');
    await writeFile(path, here);

    const verdict = await new Promise<string>((resolve) =>
      execFile('systemd-analyze', ['verify', path], (error, out, err) =>
        resolve(error?.code === 'ENOENT' ? 'no systemd here' : out + err),
      ),
    );
    await rm(folder, { recursive: true });

    expect(verdict).to.be.oneOf(['', 'no systemd here']);
  });
});

describe('the Dockerfile', () => {
  it('names settings that there are, and listens where others can call', async () => {
    const text = await read('Dockerfile');
    const env = Object.fromEntries(
      [...text.matchAll(/\b(CORRAL_\w+)=(\S+)/g)].map(([, name = '', set = '']) => [name, set]),
    );

    const { CORRAL_CONFIG: _, ...settings } = env;
    const config = parseConfig('', 'corral.yaml', settings);

    expect(config.listen).to.include({ host: '0.0.0.0', port: 8686 });
    expect(config.dataFolder).to.equal('/var/lib/corral');
    expect(text).to.match(/^USER 10001$/m);
    expect(text).to.match(/^EXPOSE 8686$/m);
  });
});
