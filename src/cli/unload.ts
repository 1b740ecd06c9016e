import { Command } from 'commander';
import type { ModelStatus } from '../management/schemas.ts';
import { stdout } from '../terminal/print.ts';
import { modelPath, tellService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { addressOf } from './service-address.ts';

interface UnloadFlags {
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `corral unload MODEL`: its runners go, and requests that wait for it are refused. */
export const unloadCommand = (): Command =>
  new Command('unload')
    .description('unload a model; running requests may finish, waiting ones are refused')
    .argument('<model>', 'its name or alias')
    .option('--force', 'end running requests, too')
    .option('--json', 'print JSON')
    .action(async (name: string, { force = false, json }: UnloadFlags, command: Command) => {
      const address = addressOf(configOf(command));
      const model = await tellService<ModelStatus>(address, `${modelPath(name)}/unload`, { force });
      if (json) return printJson(model);
      stdout.write(`${model.name}: ${model.state}\n`);
    });
