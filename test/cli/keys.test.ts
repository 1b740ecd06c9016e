import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { hashOf, newKey } from '../../src/auth/key.ts';
import { requireKeys } from '../../src/auth/require-keys.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { startCorral } from '../support/corral.ts';
import { keysOf } from '../support/guard.ts';
import { selfSigned, writeSelfSigned } from '../support/self-signed.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

describe('keys on the command line', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'corral-keys-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const corral = (
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const { CORRAL_CONFIG: _config, CORRAL_API_KEY: _key, ...rest } = process.env;
      const options = { cwd: folder, env: { ...rest, HOME: folder, XDG_DATA_HOME: folder, ...env } };
      execFile(process.execPath, ['--import', tsx, main, ...args], options, (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
      );
    });
  const write = (text: string): Promise<void> => writeFile(join(folder, 'corral.yaml'), text);

  it('are made by one that prints the key once, and the lines that let it in', async () => {
    const { code, out } = await corral(['key', 'open-webui', '--scopes', 'inference,read']);
    const json = JSON.parse((await corral(['key', 'x', '--json'])).out) as { key: string; hash: string };

    const key = /corral_[\w-]{43}/.exec(out)?.[0] ?? '';
    const yaml = out.slice(out.indexOf('keys:'));
    expect(code).to.equal(0);
    expect(parseConfig(yaml).keys).to.deep.equal({
      'open-webui': { hash: hashOf(key), scopes: ['inference', 'read'] },
    });
    expect(json.hash).to.equal(hashOf(json.key));
    expect(yaml).to.not.contain(key);
  });

  it('are refused with a name or scopes that cannot be', async () => {
    expect((await corral(['key', 'x', '--scopes', 'all'])).err).to.contain(
      "'all' is none of inference, read, manage",
    );
    expect((await corral(['key', 'a b'])).err).to.contain('expected a letter first');
  });

  it('are required where other machines can call, by serve and by check, which looks at TLS files as well', async () => {
    await write('listen: { host: 0.0.0.0 }\n');
    for (const command of ['serve', 'check']) {
      const { code, err } = await corral([command]);

      expect(code, command).to.equal(2);
      expect(err).to.match(
        /corral\.yaml: listen\.host: other machines can reach 0\.0\.0\.0.*`corral key NAME`/,
      );
    }
    await write('listen: { tls: { cert: cert.pem, key: key.pem } }\n');
    expect((await corral(['check'])).err).to.match(/cert\.pem: listen\.tls\.cert: cannot be read/);
    await write('listen: { host: 0.0.0.0 }\n');
    await appendFile(join(folder, 'corral.yaml'), `keys:\n  me: { hash: '${hashOf('k')}' }\n`);
    expect((await corral(['check'])).code).to.equal(0);
  });

  it('are not needed on a loopback address', () => {
    for (const host of ['127.0.0.2', '::1', 'localhost'])
      expect(() => requireKeys(parseConfig(`listen: { host: '${host}' }`), 'file'), host).to.not.throw();
    for (const host of ['::', '192.168.1.5', 'gpu.example.org'])
      expect(() => requireKeys(parseConfig(`listen: { host: '${host}' }`), 'file'), host).to.throw(
        ConfigError,
      );
  });

  it('are not told where they stand in the configuration by mistake', () => {
    const key = newKey();
    const text = `keys:\n  me: { hash: ${key} }\n  you: ${key}\n  ${key}: {}\nmodles: ${key}\n`;
    const faults = (): unknown => parseConfig(text);

    expect(faults).to.throw(ConfigError, /keys\.me\.hash: expected sha256: and 64 hexadecimal digits/);
    expect(faults)
      .to.throw(ConfigError, /unknown key 'modles'/)
      .with.property('message')
      .that.does.not.contain(key);
  });

  it('are shown by commands, over https to the one with this certificate alone', async () => {
    const [reader, manager] = [newKey(), newKey()];
    const paths = writeSelfSigned(folder, selfSigned());
    const served = await startCorral('embedded', {
      listen: { port: 0, tls: paths },
      keys: keysOf({
        reader: { key: reader, scopes: ['read'] },
        manager: { key: manager, scopes: ['manage'] },
      }),
    });
    const { port } = new URL(served.url);
    const config = `listen: { port: ${port}, tls: { cert: cert.pem, key: key.pem } }\n`;
    await write(config);

    const without = await corral(['ps']);
    const wrong = await corral(['ps'], { CORRAL_API_KEY: newKey() });
    const weak = await corral(['ps'], { CORRAL_API_KEY: manager });
    const right = await corral(['ps'], { CORRAL_API_KEY: reader });
    expect(without.err).to.match(/asks for a key: set CORRAL_API_KEY, or client\.keyFile/);
    expect(wrong.err).to.match(/does not know this key/);
    expect(weak.err).to.match(/The key 'manager' may not do this: it has manage, and read is needed/);
    expect([without.code, wrong.code, weak.code]).to.deep.equal([1, 1, 1]);
    expect([right.code, right.err]).to.deep.equal([0, '']);
    expect(right.out).to.contain('Nothing is loaded.');

    await writeFile(join(folder, 'my-key'), `${reader}\n`);
    await write(`${config}client: { keyFile: my-key }\n`);
    expect((await corral(['ps'])).code).to.equal(0);
    await writeFile(paths.cert, selfSigned().cert);
    expect((await corral(['ps'])).err).to.match(/its certificate is not that of .*cert\.pem/);
    expect(await readFile(join(folder, 'corral.yaml'), 'utf8')).to.not.contain(reader);
    await served.close();
  });
});
