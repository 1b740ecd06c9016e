import { Command } from 'commander';
import type { DeviceStatus } from '../management/schemas.ts';
import { stdout } from '../terminal/print.ts';
import { tellService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { addressOf } from './service-address.ts';

interface PauseFlags {
  readonly refuse?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

interface Told {
  readonly devices: readonly DeviceStatus[];
}

/** `corral pause [DEVICE…]`: the GPUs are for something else, until `corral resume`. */
export const pauseCommand = (): Command =>
  new Command('pause')
    .description('give the GPUs to something else: running requests finish, then what is loaded there goes')
    .argument('[devices...]', 'which: CUDA0; default: all GPUs')
    .option('--refuse', 'refuse requests that need them; otherwise they wait')
    .option('--force', 'end running requests, too')
    .option('--json', 'print JSON')
    .action(
      async (devices: string[], { refuse = false, force = false, json }: PauseFlags, command: Command) => {
        const body = { ...(devices.length > 0 && { devices }), refuse, force };
        const told = await tellService<Told>(addressOf(configOf(command)), '/api/v1/devices/pause', body);
        if (json) return printJson(told);
        for (const { id } of told.devices)
          stdout.write(`${id} is paused; requests that need it ${refuse ? 'are refused' : 'wait'}\n`);
      },
    );

/** `corral resume [DEVICE…]`: Corral has them back. */
export const resumeCommand = (): Command =>
  new Command('resume')
    .description('take back what was paused: what waits, is pinned or preloaded is loaded again')
    .argument('[devices...]', 'which; default: all that are paused')
    .option('--json', 'print JSON')
    .action(async (devices: string[], { json }: PauseFlags, command: Command) => {
      const body = devices.length > 0 ? { devices } : {};
      const told = await tellService<Told>(addressOf(configOf(command)), '/api/v1/devices/resume', body);
      if (json) return printJson(told);
      if (told.devices.length === 0) stdout.write('Nothing was paused.\n');
      for (const { id } of told.devices) stdout.write(`${id} is used again\n`);
    });
