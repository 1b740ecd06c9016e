import type { LoadedConfig } from '../config/load-config.ts';

/** What to do when Corral cannot listen; any other error as it is. */
export function explainStart(error: unknown, { config: { listen } }: Pick<LoadedConfig, 'config'>): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  const port = 'port' in error && typeof error.port === 'number' ? error.port : listen.port;
  const isOllamas = port === listen.ollamaPort && port !== listen.port;
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  const where = `${host}:${port} (${isOllamas ? 'listen.ollamaPort' : 'listen.port'})`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new Error(
        isOllamas
          ? `${where} is in use, most likely by Ollama itself. Stop that (systemctl stop ollama), or do without listen.ollamaPort.`
          : `${where} is in use, perhaps by another Corral. Choose another port: corral serve --port ${port + 1}`,
        { cause: error },
      );
    case 'EACCES':
      return new Error(`${where} may not be used by this user: choose a port above 1023.`, { cause: error });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new Error(`${listen.host} (listen.host) is no address of this machine.`, { cause: error });
    default:
      return error;
  }
}
