import { Command } from 'commander';
import type { ReloadReport } from '../management/schemas.ts';
import { stderr, stdout } from '../terminal/print.ts';
import { commandFor } from '../reload/consent.ts';
import { Refused, tellService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { addressOf } from './service-address.ts';

interface ReloadFlags {
  readonly dryRun?: boolean;
  readonly dropKeys?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** As for every other command with a configuration that cannot be used. */
const UNUSABLE = 2;

/** `corral reload`: the running Corral takes over what has changed in its configuration. */
export const reloadCommand = (): Command =>
  new Command('reload')
    .description('have the running Corral read its configuration again, and say what changes')
    .option('--dry-run', 'only say what would change')
    .option('--force', 'also when most models go')
    .option('--drop-keys', 'also when no key is left, and everybody who reaches it may do all')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Runners of models that have changed may finish what they are running, and go; all others stay loaded. A configuration that cannot be used
changes nothing (exit code 2). Nor does one that drops the last key, or most of the models, unless you say that it is meant: a file that was cut
off does that, too. SIGHUP and \`watch\` never take such a one over.`,
    )
    .action(async ({ json, dryRun, dropKeys, force }: ReloadFlags, command: Command) => {
      const address = addressOf(configOf(command));
      try {
        const wishes = { dryRun, dropKeys, force };
        const report = await tellService<ReloadReport>(address, '/api/v1/config/reload', wishes, true);
        if (json) return printJson(report);
        stdout.write(textOf(report));
      } catch (error) {
        if (!(error instanceof Refused && error.code === 'config_invalid')) throw error;
        stderr.write(`${error.message}\nThe configuration that was in force stays.\n`);
        process.exitCode = UNUSABLE;
      }
    });

function textOf({ applied, text, warnings, needed }: ReloadReport): string {
  const lines = [
    ...warnings.map((warning) => `warning: ${warning}`),
    ...text,
    ...needed.map(({ reason }) => `caution: ${reason}`),
    ...(needed.length > 0 ? [`To have it all the same: ${commandFor(needed)}`] : []),
    text.length === 0 ? 'Nothing has changed.' : applied ? 'Applied.' : 'Nothing is applied: a dry run.',
  ];
  return `${lines.join('\n')}\n`;
}
