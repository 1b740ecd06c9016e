import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { Server as SecureServer } from 'node:https';
import type { Logger } from 'pino';
import { ConfigError } from '../config/config-error.ts';
import { followFile } from '../files/follow-file.ts';
import { readFileBytes } from '../files/read-file.ts';
import { systemReason } from '../system-reason.ts';

/** How often the files are looked at; certificates are renewed every few weeks. */
const LOOK_EVERY_MS = 10_000;

/** Where the files are. */
export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
}

/** A certificate with its chain, and its private key, as PEM. */
export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads a certificate and its key. Throws a `ConfigError` that says which file is wrong, and how. */
export function readTlsFiles({ cert: certPath, key: keyPath }: TlsPaths): TlsPair {
  const cert = read('cert', certPath);
  const key = read('key', keyPath);
  const certificate = certificateIn(cert);
  if (!certificate) throw unusable(certPath, 'cert', 'holds no certificate in PEM');
  const privateKey = privateKeyIn(key);
  if (!privateKey) throw unusable(keyPath, 'key', keyFault(key));
  if (!matches(certificate, privateKey))
    throw unusable(keyPath, 'key', `is not the key of the certificate in ${certPath}`);
  return { cert, key };
}

/** Has a server use new files as they come; files that are wrong change nothing. Answers with what ends that. */
export function followTlsFiles(
  server: SecureServer,
  paths: TlsPaths,
  log: Logger,
  everyMs = LOOK_EVERY_MS,
): () => void {
  const reload = (): void => {
    try {
      const pair = readTlsFiles(paths);
      server.setSecureContext(pair);
      log.info({ event: 'tls.reloaded', validTo: new X509Certificate(pair.cert).validTo });
    } catch (err) {
      // The two files are not written at the same moment: the next look may find them well.
      log.warn({ event: 'tls.kept', err }, 'the certificate stays as it was');
    }
  };
  const ends = [paths.cert, paths.key].map((file) => followFile(file, reload, everyMs));
  return () => ends.forEach((end) => end());
}

function read(name: 'cert' | 'key', path: string): Buffer {
  try {
    return readFileBytes(path);
  } catch (error) {
    throw unusable(path, name, `cannot be read: ${systemReason(error)}`);
  }
}

const unusable = (path: string, name: 'cert' | 'key', message: string): ConfigError =>
  new ConfigError(path, [{ line: 0, column: 0, key: `listen.tls.${name}`, message }]);

function certificateIn(pem: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

function privateKeyIn(pem: Buffer): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

const keyFault = (key: Buffer): string =>
  key.includes('ENCRYPTED')
    ? 'is encrypted; a key without a passphrase is needed'
    : 'holds no private key in PEM';

function matches(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    return false; // keys of different kinds
  }
}
