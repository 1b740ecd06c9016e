import { X509Certificate } from 'node:crypto';
import { rootCertificates, type PeerCertificate } from 'node:tls';
import { WebSocket } from 'ws';
import type { SocketConstructor } from '../../client/client.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import { tlsPathsOf } from '../../config/tls-paths-of.ts';
import { readFileText } from '../../files/read-file.ts';

/** The WebSocket with which a command reaches a running Corral; with TLS, only one that shows the configured certificate. */
export function socketFor({ config, path }: LoadedConfig): SocketConstructor {
  const tls = tlsPathsOf(config, path);
  if (!tls) return WebSocket;
  const pem = readFileText(tls.cert);
  const wanted = new X509Certificate(pem).fingerprint256;
  const options = {
    // It may have signed itself.
    ca: [pem, ...rootCertificates],
    checkServerIdentity: (_host: string, { fingerprint256 }: PeerCertificate) =>
      fingerprint256 === wanted ? undefined : new Error(`its certificate is not that of ${tls.cert}`),
  };
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, options as object);
    }
  };
}
