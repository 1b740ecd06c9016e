import { Command } from 'commander';
import type { RunnerStatus } from '../management/schemas.ts';
import { stdout } from '../terminal/print.ts';
import { runnerPath, tellService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { addressOf } from './service-address.ts';

interface StopFlags {
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `corral stop RUNNER`: one process goes; who waits for its model gets a fresh one. */
export const stopCommand = (): Command =>
  new Command('stop')
    .description('stop one runner; running requests may finish, waiting ones get a fresh runner')
    .argument('<runner>', 'its id, as `corral ps` shows it')
    .option('--force', 'end running requests, too')
    .option('--json', 'print JSON')
    .action(async (id: string, { force = false, json }: StopFlags, command: Command) => {
      const address = addressOf(configOf(command));
      const runner = await tellService<RunnerStatus>(address, `${runnerPath(id)}/stop`, { force });
      if (json) return printJson(runner);
      stdout.write(`${runner.id} (${runner.model}): ${runner.state}\n`);
    });
