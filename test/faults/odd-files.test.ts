import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { readTlsFiles } from '../../src/http/tls-files.ts';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { readHuggingFaceCache } from '../../src/models/discover/hugging-face-cache.ts';
import { readOllamaStore } from '../../src/models/discover/ollama-store.ts';
import { placeIn, runCorral } from '../cli/support/run-cli.ts';
import { startCorral, type Corral } from '../support/corral.ts';

const ODD = [
  { kind: 'a folder', make: (path: string) => mkdir(path), says: 'it is a folder, not a file' },
  {
    kind: 'a named pipe',
    make: (path: string) => execFileSync('mkfifo', [path]),
    says: 'it is a named pipe, not a file',
  },
  {
    kind: 'huge',
    make: async (path: string) => {
      await writeFile(path, '');
      await truncate(path, 2 ** 40);
    },
    says: 'it has 1099511627776 bytes or more, too many for what it should hold',
  },
] as const;

describe('a file that is a folder, a pipe, a device, or huge', function () {
  this.timeout(120_000);
  let folder: string;
  const at = (...names: string[]): string => join(folder, ...names);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-odd-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  for (const { kind, make, says } of ODD) {
    it(`is refused at once as a configuration, and named: ${kind}`, async () => {
      await make(at('corral.yaml'));

      expect(() => loadConfig(at('corral.yaml'), {})).to.throw(
        ConfigError,
        // A folder may hold the configuration, in files of its own.
        `${at('corral.yaml')}: ${kind === 'a folder' ? 'there is no *.yaml in this folder' : `cannot be read: ${says}`}`,
      );
    });

    it(`is refused at once as a certificate, by its key: ${kind}`, async () => {
      await make(at('cert.pem'));

      expect(() => readTlsFiles({ cert: at('cert.pem'), key: at('key.pem') })).to.throw(
        ConfigError,
        `listen.tls.cert: cannot be read: ${says}`,
      );
    });

    it(`hides nothing else in another program's store: ${kind}`, async () => {
      const library = at('manifests', 'registry.ollama.ai', 'library');
      await mkdir(join(library, 'odd'), { recursive: true });
      await make(join(library, 'odd', 'latest'));
      const refs = at('models--a--b', 'refs');
      await mkdir(refs, { recursive: true });
      await make(join(refs, 'main'));

      const [ollama, hub] = [await readOllamaStore(folder), await readHuggingFaceCache(folder)];

      // A folder is no manifest, and no ref.
      const expected = kind === 'a folder' ? 0 : 1;
      expect([ollama.warnings.length, hub.warnings.length]).to.deep.equal([expected, expected]);
    });
  }

  it('is refused by the command line with the code of a configuration that cannot be used', async () => {
    execFileSync('mkfifo', [at('corral.yaml')]);
    const { code, err } = await runCorral(placeIn(folder), 'check');

    expect(code).to.equal(2);
    expect(err).to.contain('corral.yaml: cannot be read: it is a named pipe, not a file');
  });

  it('is refused as the key file, by its key', async () => {
    await writeFile(at('corral.yaml'), 'client: { keyFile: /dev/zero }\n');
    const { code, err } = await runCorral(placeIn(folder), 'ps');

    expect(code).to.equal(1);
    expect(err).to.contain('client.keyFile: /dev/zero cannot be read: it is a device, not a file');
  });

  describe('among the models that Corral serves', () => {
    let corral: Corral;
    afterEach(() => corral.close());

    it('has a problem that is told, under whatever name, and the others are served', async () => {
      execFileSync('mkfifo', [at('pipe.gguf')]);
      await mkdir(at('deep', 'er'), { recursive: true });
      for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'line\nend'])
        await generateGguf(at('deep', `${name}.gguf`));
      corral = await startCorral('embedded', { folders: [folder] });

      const entries = corral.catalogue.entries.map(({ name, problem }) => [name, problem?.message ?? '']);
      expect(entries).to.deep.equal([
        ['constructor', ''],
        ['hasOwnProperty', ''],
        ['toString', ''],
        ['pipe', `${at('pipe.gguf')} cannot be opened: it is a named pipe, not a file`],
      ]);
      for (const model of ['constructor', 'toString', 'hasOwnProperty']) {
        const { status } = await corral.post('/v1/completions', { model, prompt: 'hi', max_tokens: 2 });
        expect(status, model).to.equal(200);
      }
    });
  });
});
