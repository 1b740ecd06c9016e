import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { pino } from 'pino';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';
import { followTlsFiles, readTlsFiles } from '../../src/http/tls-files.ts';
import { startCorral, until, type Corral } from '../support/corral.ts';
import { selfSigned, writeSelfSigned } from '../support/self-signed.ts';

describe('https', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'corral-tls-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  describe('of a Corral', function () {
    this.timeout(60_000);
    let corral: Corral;
    let cert: string;
    beforeEach(async () => {
      const pair = selfSigned();
      cert = pair.cert;
      corral = await startCorral('embedded', {
        listen: { port: 0, tls: writeSelfSigned(folder, pair) },
      });
    });
    afterEach(() => corral.close());

    it('answers requests and WebSockets, and is where it says', async () => {
      expect(corral.url).to.match(/^https:\/\/127\.0\.0\.1:\d+$/);

      const dispatcher = new Agent({ connect: { ca: cert } });
      const { statusCode } = await request(`${corral.url}/v1/models`, { dispatcher });
      await dispatcher.close();
      const socket = new WebSocket(`${corral.url.replace('https', 'wss')}/api/v1/ws`, { ca: cert });
      const [hello] = (await once(socket, 'message')) as [Buffer];
      socket.terminate();

      expect(statusCode).to.equal(200);
      expect(JSON.parse(hello.toString())).to.include({ type: 'hello' });
    });

    it('answers a request that offers another protocol as the plain one that it also is', async () => {
      const { port } = new URL(corral.url);
      const socket = connectTls({ host: '127.0.0.1', port: Number(port), ca: cert });
      socket.write(
        'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n',
      );
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await once(socket, 'close');

      expect(text)
        .to.match(/^HTTP\/1\.1 \d/)
        .and.to.match(/"status":"/);
    });
  });

  describe('files', () => {
    it('are read together', () => {
      const paths = writeSelfSigned(folder, selfSigned());

      expect(readTlsFiles(paths).cert.toString()).to.match(/^-----BEGIN CERTIFICATE/);
    });

    it('that cannot be used are named, with what is wrong', () => {
      const paths = writeSelfSigned(folder, selfSigned());
      const faultWith = (name: 'cert' | 'key', content: string | null): string => {
        const path = join(folder, `bad-${name}.pem`);
        if (content !== null) writeFileSync(path, content);
        try {
          readTlsFiles({ ...paths, [name]: path });
          return 'none';
        } catch (error) {
          return String(error);
        }
      };
      const encrypted = generateKeyPairSync('ec', { namedCurve: 'P-256' })
        .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
        .toString();

      expect(faultWith('cert', null)).to.match(
        /bad-cert\.pem: listen\.tls\.cert: cannot be read: there is no such file/,
      );
      expect(faultWith('key', null)).to.match(
        /bad-key\.pem: listen\.tls\.key: cannot be read: there is no such file/,
      );
      expect(faultWith('cert', 'hello')).to.match(/listen\.tls\.cert: holds no certificate in PEM/);
      expect(faultWith('key', 'hello')).to.match(/listen\.tls\.key: holds no private key in PEM/);
      expect(faultWith('key', encrypted)).to.match(/is encrypted; a key without a passphrase is needed/);
      expect(faultWith('key', selfSigned().key)).to.match(/is not the key of the certificate in .*cert\.pem/);
    });

    it('are used as they change, once they fit together', async () => {
      const first = selfSigned();
      const paths = writeSelfSigned(folder, first);
      const lines: string[] = [];
      const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
      const server = createServer(readTlsFiles(paths));
      const unfollow = followTlsFiles(server, paths, log, 20);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      expect(await shownBy(server)).to.equal(fingerprintOf(first.cert));

      const second = selfSigned();
      writeFileSync(paths.cert, second.cert);
      await until('the half is noticed', async () => lines.some((line) => line.includes('tls.kept')), 20_000);
      expect(await shownBy(server)).to.equal(fingerprintOf(first.cert));
      writeFileSync(paths.key, second.key);
      await until('both are', async () => lines.some((line) => line.includes('tls.reloaded')), 20_000);

      expect(await shownBy(server)).to.equal(fingerprintOf(second.cert));
      expect(lines.join('')).to.not.contain('PRIVATE KEY');
      unfollow();
      server.close();
    });
  });
});

const fingerprintOf = (pem: string): string => new X509Certificate(pem).fingerprint256;

/** The certificate that a server shows to a new connection. */
async function shownBy(server: Server): Promise<string | undefined> {
  const { port } = server.address() as AddressInfo;
  const socket: TLSSocket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const shown = socket.getPeerX509Certificate()?.fingerprint256;
  socket.destroy();
  return shown;
}
