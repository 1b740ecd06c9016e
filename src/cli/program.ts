import { Command } from 'commander';
import { VERSION } from '../serve.ts';
import { stderr, stdout } from '../terminal/print.ts';
import { activityCommand } from './activity.ts';
import { checkCommand } from './check.ts';
import { addCompletion } from './completion.ts';
import { explainCommand } from './explain.ts';
import { forgetCommand } from './forget.ts';
import { keyCommand } from './key.ts';
import { loadCommand } from './load.ts';
import { logsCommand } from './logs.ts';
import { importCommand } from './import.ts';
import { addManual } from './manual.ts';
import { modelsCommand } from './models.ts';
import { pauseCommand, resumeCommand } from './pause.ts';
import { pinCommand, unpinCommand } from './pin.ts';
import { pullCommand } from './pull.ts';
import { psCommand } from './ps.ts';
import { recordCommand } from './record.ts';
import { reloadCommand } from './reload.ts';
import { serveCommand } from './serve.ts';
import { simulateCommand } from './simulate.ts';
import { stopCommand } from './stop.ts';
import { topCommand } from './top.ts';
import { unloadCommand } from './unload.ts';

/** The command line, all commands with their help. `args` are what follows `corral`: a shell may be asking what comes next. */
export async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('corral')
    .description('Many local language models, few GPUs, one address.')
    .version(VERSION)
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .option(
      '-c, --config <file>',
      'the configuration, or a folder of *.yaml; several times: what a later one says wins (default: $CORRAL_CONFIG, ./corral.yaml, ~/.config/corral/corral.yaml)',
      (file: string, before: readonly string[] | undefined) => [...(before ?? []), file],
    )
    .addCommand(serveCommand())
    .addCommand(checkCommand())
    .addCommand(reloadCommand())
    .addCommand(modelsCommand())
    .addCommand(psCommand())
    .addCommand(topCommand())
    .addCommand(activityCommand())
    .addCommand(explainCommand())
    .addCommand(loadCommand())
    .addCommand(unloadCommand())
    .addCommand(pinCommand())
    .addCommand(unpinCommand())
    .addCommand(pauseCommand())
    .addCommand(resumeCommand())
    .addCommand(forgetCommand())
    .addCommand(stopCommand())
    .addCommand(logsCommand())
    .addCommand(keyCommand())
    .addCommand(simulateCommand())
    .addCommand(recordCommand())
    .addCommand(importCommand())
    .addCommand(pullCommand())
    .showHelpAfterError('Try `corral --help`.')
    .addHelpText(
      'after',
      `
Examples:
  corral serve                    start; without a configuration a small demonstration is written and served
  corral check                    say whether the configuration is right, and what each model needs
  corral ps                       what runs, what waits and why
  corral explain tiny-chat        why this model is loaded, waits, or is not loaded
  corral simulate my.yaml         play a scenario in virtual time`,
    );
  await addCompletion(program, args);
  addManual(program);
  for (const command of program.commands) command.configureOutput(program.configureOutput());
  return program;
}
