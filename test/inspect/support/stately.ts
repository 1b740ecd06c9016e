import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { installPage } from '../../../scripts/install-page.ts';
import type { StatelyEvent } from '../../../src/inspect/stately-events.ts';
import { until } from '../../support/corral.ts';

/** The package as its users have it; it belongs to the page's dependencies, since only tests and the page need it. */
const DIST = new URL('../../../inspector/node_modules/@statelyai/inspect/dist/', import.meta.url);

interface StatelyInspect {
  readonly createWebSocketReceiver: (options: { server: string }) => {
    subscribe(hear: (event: StatelyEvent) => void): void;
  };
}

/** Loads the package, which is installed first where it is not. */
export async function statelyInspect(): Promise<StatelyInspect> {
  installPage();
  return (await import(new URL('index.mjs', DIST).href)) as StatelyInspect;
}

/** The package's own relay, in a process of its own: in this one nobody could end its connections. */
export async function startRelay(): Promise<{ url: string; stop: () => void }> {
  const port = await freePort();
  const program = `import { createInspectorServer } from ${JSON.stringify(new URL('server.mjs', DIST).href)};
    createInspectorServer({ port: ${port}, autoOpen: false });`;
  const relay = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' });
  const url = `http://localhost:${port}`;
  await until('the relay answers', () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { url: url.replace('http', 'ws'), stop: () => void relay.kill() };
}

/** A port that was free a moment ago: the relay of the package takes none by itself. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
