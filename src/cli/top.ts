import { Command } from 'commander';
import { connect, type CorralClient } from '../client/client.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { stdout } from '../terminal/print.ts';
import { openScreen } from '../terminal/screen.ts';
import { askService } from './ask-service.ts';
import { configOf } from './context.ts';
import { addressOf, type ServiceAddress } from './service-address.ts';
import { follow } from './top/follow.ts';
import { pictureOf } from './top/picture.ts';
import { socketFor } from './top/socket-for.ts';

/** Durations run on without news. */
const REDRAW_EVERY_MS = 1_000;
/** Changes that come at once are one picture. */
const REDRAW_AFTER_MS = 50;

/** `corral top`: devices, runners, the queue and the last decisions, as they change. */
export const topCommand = (): Command =>
  new Command('top')
    .description('watch devices, runners, the queue and decisions of a running Corral')
    .action(async (_options: object, command: Command) => {
      const loaded = configOf(command);
      const address = addressOf(loaded);
      // Says what is wrong, where a connection would only be tried again.
      await askService(address, '/api/v1/status');
      const open = (): CorralClient => clientFor(loaded, address);
      await (stdout.isTTY ? watch(open, address.url) : printOnce(open, address.url));
    });

const clientFor = (loaded: LoadedConfig, { url, key }: ServiceAddress): CorralClient =>
  connect(url, { WebSocket: socketFor(loaded), ...(key !== null && { key }) });

async function printOnce(open: () => CorralClient, url: string): Promise<void> {
  const client = open();
  try {
    const { whole, scene } = follow(client, url, () => {});
    await whole;
    stdout.write(`${pictureOf(scene(), { columns: Infinity, rows: Infinity }, Date.now())}\n`);
  } finally {
    client.close();
  }
}

async function watch(open: () => CorralClient, url: string): Promise<void> {
  let pending: NodeJS.Timeout | undefined;
  const draw = (): void => {
    clearTimeout(pending);
    pending = undefined;
    screen.show(pictureOf(followed.scene(), screen.size, Date.now()));
  };
  const drawSoon = (): void => {
    pending ??= setTimeout(draw, REDRAW_AFTER_MS);
  };
  const client = open();
  const followed = follow(client, url, drawSoon);
  const screen = openScreen(draw);
  const redrawing = setInterval(draw, REDRAW_EVERY_MS);
  try {
    await Promise.race([screen.left, followed.whole.then(() => screen.left)]);
  } finally {
    clearInterval(redrawing);
    // Says that it is closed, which is no news any more.
    client.close();
    clearTimeout(pending);
    screen.close();
  }
}
