import { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import type { LoadedConfig } from '../config/load-config.ts';
import { pathOf } from '../config/path-of.ts';
import { folderOf } from '../config/resolve-models.ts';
import { tlsPathsOf } from '../config/tls-paths-of.ts';
import { readFileText } from '../files/read-file.ts';
import { systemReason } from '../system-reason.ts';
import { urlOf } from '../url-of.ts';

/** How a command reaches a running Corral. */
export interface ServiceAddress {
  readonly url: string;
  /** What it shows; null when the user has none. */
  readonly key: string | null;
  /** Null for the usual one. */
  readonly dispatcher: Dispatcher | null;
}

/** A running Corral's address, as the configuration has it. Throws an `Error` for a file that it names and that cannot be read. */
export function addressOf(loaded: LoadedConfig, env: NodeJS.ProcessEnv = process.env): ServiceAddress {
  const { config, path } = loaded;
  const { host, port } = config.listen;
  const tls = tlsPathsOf(config, path);
  return {
    url: urlOf(tls ? 'https' : 'http', reachable(host), port),
    key: keyOf(loaded, env),
    dispatcher: tls && onlyWith(tls.cert),
  };
}

const reachable = (host: string): string => {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
};

/** `CORRAL_API_KEY`, else what stands in `client.keyFile`. */
function keyOf({ config, path }: LoadedConfig, env: NodeJS.ProcessEnv): string | null {
  if (env['CORRAL_API_KEY']) return env['CORRAL_API_KEY'];
  const { keyFile } = config.client;
  return keyFile === undefined ? null : read('client.keyFile', pathOf(folderOf(path), keyFile)).trim();
}

/**
 * Connects to who has this very certificate and nobody else. The configuration has it at hand, so that no authority is needed: it may
 * have signed itself, and the address may be one that it does not name.
 */
function onlyWith(certPath: string): Dispatcher {
  const wanted = new X509Certificate(read('listen.tls.cert', certPath)).fingerprint256;
  const connect = buildConnector({ rejectUnauthorized: false });
  return new Agent({
    connect: (options, callback) =>
      connect(options, (error, socket) => {
        if (!socket) return callback(error ?? new Error('no connection'), null);
        const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.fingerprint256 : null;
        if (shown === wanted) return callback(null, socket);
        socket.destroy();
        callback(new Error(`its certificate is not that of ${certPath}`), null);
      }),
  });
}

function read(key: string, path: string): string {
  try {
    return readFileText(path);
  } catch (cause) {
    throw new Error(`${key}: ${path} cannot be read: ${systemReason(cause)}`, { cause });
  }
}
