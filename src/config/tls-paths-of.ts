import { pathOf } from './path-of.ts';
import { folderOf } from './resolve-models.ts';
import type { Config } from './schema.ts';
import type { TlsPaths } from '../http/tls-files.ts';

/** The files of `listen.tls`, with their whole paths; null where plain http is spoken. */
export function tlsPathsOf({ listen: { tls } }: Config, configPath: string | null): TlsPaths | null {
  if (!tls) return null;
  const folder = folderOf(configPath);
  return { cert: pathOf(folder, tls.cert), key: pathOf(folder, tls.key) };
}
