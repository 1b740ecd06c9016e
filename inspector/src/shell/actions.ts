import { announce, complain } from './announcer.tsx';
import { command } from '../live/session.ts';

/** Has a model loaded ahead of any request. */
export const load = (model: string): void => carryOut(`Loading ${model}`, command('model.load', { model }));

/** Unloads a model: running requests may finish, or with `isForced` are ended now; those that wait are refused. */
export const unload = (model: string, isForced = false): void =>
  carryOut(`Unloading ${model}`, command('model.unload', { model, ...(isForced && { drainMs: 0 }) }));

/** Stops one runner; `force` ends its requests now. */
export const stop = (runnerId: string, force = false): void =>
  carryOut(`Stopping ${runnerId}`, command('runner.stop', { runnerId, force }));

/** Pins a model, or lets it go: a pinned one is loaded and never evicted, until Corral is started again. */
export const pin = (model: string, pinned: boolean): void =>
  carryOut(
    pinned ? `${model} is pinned` : `${model} is no longer pinned`,
    command('model.pin', { model, pinned }),
  );

/** Gives a device to something else: what is loaded there finishes and goes. */
export const pause = (device: string): void =>
  carryOut(`${device} is paused`, command('devices.pause', { devices: [device] }));

/** Takes it back. */
export const resume = (device: string): void =>
  carryOut(`${device} is used again`, command('devices.resume', { devices: [device] }));

function carryOut(what: string, done: Promise<unknown>): void {
  done.then(
    () => announce(what),
    (error: unknown) => complain(`${what}: ${error instanceof Error ? error.message : String(error)}`),
  );
}
