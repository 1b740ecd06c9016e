import { Command } from 'commander';
import { writeDemoConfig } from '../config/demo-config.ts';
import { strangeVariables } from '../config/environment.ts';
import { defaultDataFolder, findConfig } from '../config/find-config.ts';
import { loadConfig } from '../config/load-config.ts';
import { createLog } from '../log.ts';
import { serve } from '../serve.ts';
import { explainStart } from './explain-start.ts';
import { followSignals } from './follow-signals.ts';
import { keepGarbageYoung } from './keep-garbage-young.ts';
import { overridesOfFlags, withServeFlags, type ServeFlags } from './serve-flags.ts';
import { welcome } from './welcome.ts';

/** `corral serve`: runs until a signal. */
export const serveCommand = (): Command =>
  withServeFlags(
    new Command('serve').description(
      'start Corral, and serve the models of the configuration until a signal',
    ),
  )
    .addHelpText(
      'after',
      `
SIGTERM or Ctrl-C drains and stops it, a second one hurries. SIGHUP reads the configuration again, as \`corral reload\` does.`,
    )
    .action(async (_options: object, command: Command) => {
      keepGarbageYoung();
      const flags = command.optsWithGlobals<ServeFlags>();
      const path = findConfig(flags.config, process.env) ?? (await writeDemo());
      const load = () => loadConfig(path, process.env, overridesOfFlags(flags));
      const loaded = load();
      const log = createLog(loaded.config);
      for (const warning of strangeVariables(process.env)) log.warn({ event: 'environment' }, warning);
      const served = await serve({
        config: loaded.config,
        configPath: loaded.path,
        read: () => load().config,
        log,
      }).catch((error: unknown) => {
        throw explainStart(error, loaded);
      });
      process.stdout.write(welcome(served, loaded));
      followSignals(served, log);
    });

/** On a first start without any configuration, the demonstration's. */
const writeDemo = (): Promise<string> =>
  writeDemoConfig(defaultDataFolder(process.env), (name) =>
    process.stdout.write(`writing demonstration model ${name} …\n`),
  );
