import { Command } from 'commander';
import type { ModelStatus } from '../management/schemas.ts';
import { stdout } from '../terminal/print.ts';
import { modelPath, tellService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { addressOf } from './service-address.ts';
import { formatDuration } from './table.ts';

interface PinFlags {
  readonly keepAlive?: string;
  readonly json?: boolean;
}

const pinning = (name: string, pinned: boolean): Command =>
  new Command(name)
    .argument('<model>', 'its name or alias')
    .option('--keep-alive <duration>', 'how long it stays when it is not pinned: 5m, forever')
    .option('--json', 'print JSON')
    .action(async (model: string, { keepAlive, json }: PinFlags, command: Command) => {
      const address = addressOf(configOf(command));
      const body = { pinned, ...(keepAlive !== undefined && { keepAlive }) };
      const kept = await tellService<ModelStatus>(address, `${modelPath(model)}/pin`, body);
      if (json) return printJson(kept);
      stdout.write(
        `${kept.name} ${pinned ? 'is pinned' : `stays ${lasting(kept)} after its last request`}\n`,
      );
    });

const lasting = ({ options }: ModelStatus): string =>
  formatDuration(options?.keepAliveMs === 'forever' ? Infinity : (options?.keepAliveMs ?? 0));

/** `corral pin MODEL`: loaded, never evicted, loaded again after a crash; until Corral is started again. */
export const pinCommand = (): Command =>
  pinning('pin', true).description('load a model and never evict it, until Corral is started again');

/** `corral unpin MODEL`: it may be evicted again, and its keep-alive counts. */
export const unpinCommand = (): Command =>
  pinning('unpin', false).description('let a pinned model be evicted, and unloaded when its keep-alive ends');
