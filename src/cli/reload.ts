import { Command } from 'commander';
import type { ReloadReport } from '../management/schemas.ts';
import { stderr, stdout } from '../terminal/print.ts';
import { Refused, tellService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { addressOf } from './service-address.ts';

interface ReloadFlags {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** As for every other command with a configuration that cannot be used. */
const UNUSABLE = 2;

/** `corral reload`: the running Corral takes over what has changed in its configuration. */
export const reloadCommand = (): Command =>
  new Command('reload')
    .description('have the running Corral read its configuration again, and say what changes')
    .option('--dry-run', 'only say what would change')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Runners of models that have changed may finish what they are running, and go; all others stay loaded. A configuration that cannot be used
changes nothing (exit code 2).`,
    )
    .action(async ({ dryRun = false, json }: ReloadFlags, command: Command) => {
      const address = addressOf(configOf(command));
      try {
        const report = await tellService<ReloadReport>(address, '/api/v1/config/reload', { dryRun }, true);
        if (json) return printJson(report);
        stdout.write(textOf(report));
      } catch (error) {
        if (!(error instanceof Refused && error.code === 'config_invalid')) throw error;
        stderr.write(`${error.message}\nThe configuration that was in force stays.\n`);
        process.exitCode = UNUSABLE;
      }
    });

function textOf({ applied, text, warnings }: ReloadReport): string {
  const lines = [
    ...warnings.map((warning) => `warning: ${warning}`),
    ...text,
    text.length === 0 ? 'Nothing has changed.' : applied ? 'Applied.' : 'Nothing is applied: a dry run.',
  ];
  return `${lines.join('\n')}\n`;
}
