import { closeSync, openSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Served } from '../serve.ts';

/** SIGHUP reads the configuration again. Of SIGTERM and SIGINT the first drains, a second hurries, a third ends it all. */
export function followSignals(served: Served, log: Logger): void {
  const hadTerminal = hasTerminal();
  let signals = 0;
  const stop = (signal: string): void => {
    signals++;
    log.info(
      { event: 'shutdown', signal, signals },
      ['draining', 'ending all runners', 'exiting'][signals - 1] ?? '',
    );
    if (signals === 1)
      void served.stop(served.reloader.config.shutdownGrace).then(() => {
        log.info({ event: 'stopped' }, 'all runners have ended');
        process.exit(0);
      });
    else if (signals === 2) served.hurry();
    else process.exit(1);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  process.on('SIGHUP', (signal) => {
    // Somebody has closed the window that Corral was started in.
    if (hadTerminal && !hasTerminal()) return stop(signal);
    // What is wrong with it has been logged.
    served.reloader.reload('signal').catch(() => {});
  });
}

/** Whether there is a terminal that this process belongs to: the system refuses to open one that has hung up. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
