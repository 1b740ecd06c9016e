import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import type { LoadedConfig } from '../config/load-config.ts';
import type { ModelStatus, RunnerStatus } from '../management/schemas.ts';
import { stdout } from '../terminal/print.ts';
import { printableLine } from '../terminal/printable.ts';
import { completionScripts, shells, type Shell } from './completion-scripts.ts';
import { askService } from './ask-service.ts';
import { configOf } from './context.ts';
import { addressOf } from './service-address.ts';

/** What the scripts call, with the words of the line so far; hidden from help. */
const ASKED = 'complete';
const OF_MODELS = ['explain', 'forget', 'load', 'unload', 'pin', 'unpin'];
const OF_RUNNERS = ['stop'];
const OF_BOTH = ['logs'];

/**
 * Adds `corral completion SHELL`, whose script has the shell ask `corral complete` for what may come next: commands,
 * options, and names of models and runners. Those are only looked up when a shell asks.
 */
export async function addCompletion(program: Command, args: readonly string[]): Promise<void> {
  const completions = tab(program, { completionCommandName: 'completion' });
  printOwnScripts(program);
  if (args[0] !== ASKED) return;
  const { models, runners } = await namesFor(program);
  const offer = (commands: readonly string[], names: readonly string[]): void => {
    for (const command of commands)
      for (const argument of completions.commands.get(command)?.arguments.values() ?? [])
        argument.handler = (complete) => names.filter(isPlain).forEach((name) => complete(name, ''));
  };
  offer(OF_MODELS, models);
  offer(OF_RUNNERS, runners);
  offer(OF_BOTH, [...models, ...runners]);
}

/** The library's own scripts evaluate the line that is being typed: what they ask is taken over, they are not. */
function printOwnScripts({ commands }: Command): void {
  const command = commands.find((one) => one.name() === 'completion');
  command?.registeredArguments[0]?.choices(shells);
  command
    ?.description("print a script that teaches a shell corral's commands, options and models")
    .action((shell: Shell) => stdout.write(completionScripts[shell]));
}

/** What is offered is printed by the library, onto the line that is being typed. */
const isPlain = (name: string): boolean => printableLine(name) === name;

interface Names {
  readonly models: readonly string[];
  readonly runners: readonly string[];
}

/** Those of the running Corral, else those that the configuration names; nothing where neither can be read. */
async function namesFor(program: Command): Promise<Names> {
  try {
    const loaded = configOf(program);
    return await askedNames(loaded).catch(() => configuredNames(loaded));
  } catch {
    return { models: [], runners: [] }; // a line that is being typed is no place for errors
  }
}

async function askedNames(loaded: LoadedConfig): Promise<Names> {
  const address = addressOf(loaded);
  const [{ models }, { runners }] = await Promise.all([
    askService<{ models: readonly ModelStatus[] }>(address, '/api/v1/models'),
    askService<{ runners: readonly RunnerStatus[] }>(address, '/api/v1/runners'),
  ]);
  return { models: models.flatMap(withAliases), runners: runners.map(({ id }) => id) };
}

const configuredNames = ({ config }: LoadedConfig): Names => ({
  models: Object.entries(config.models).flatMap(([name, { aliases }]) => withAliases({ name, aliases })),
  runners: [],
});

const withAliases = ({ name, aliases }: { name: string; aliases: readonly string[] }): string[] => [
  name,
  ...aliases,
];
