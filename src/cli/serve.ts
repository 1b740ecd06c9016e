import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { writeDemoConfig } from '../config/demo-config.ts';
import { strangeVariables } from '../config/environment.ts';
import { defaultDataFolder, findConfig } from '../config/find-config.ts';
import { loadConfig } from '../config/load-config.ts';
import { createLog } from '../log/log.ts';
import { UnblockedOutput } from '../log/unblocked-output.ts';
import { serve } from '../serve.ts';
import { printable } from '../terminal/printable.ts';
import { demoConfigPath } from './context.ts';
import { explainStart } from './explain-start.ts';
import { followSignals } from './follow-signals.ts';
import { keepGarbageYoung } from './keep-garbage-young.ts';
import { FIRST_MODEL, offerModel } from './offer-model.ts';
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
      // Whether somebody reads it or not, Corral serves.
      const said = new UnblockedOutput(1);
      process.once('exit', () => said.finish());
      const own = findConfig(flags.config, process.env);
      const paths = own.length > 0 ? own : [await writeDemo(said)];
      const load = () => loadConfig(paths, process.env, overridesOfFlags(flags));
      const loaded = load();
      const log = createLog(loaded.config);
      for (const warning of strangeVariables(process.env)) log.warn({ event: 'environment' }, warning);
      const served = await serve({
        config: loaded.config,
        configPath: loaded.path,
        configNames: paths,
        read: () => load().config,
        log,
      }).catch((error: unknown) => {
        throw explainStart(error, loaded);
      });
      said.write(printable(welcome(served, loaded, { isDemo: own.length === 0 })));
      followSignals(served, log);
    });

/** Without any configuration, the demonstration's. On the first start a real model is offered beside it. */
async function writeDemo(said: UnblockedOutput): Promise<string> {
  const folder = defaultDataFolder(process.env);
  const isFirst = !existsSync(demoConfigPath(process.env));
  const path = isFirst ? await offerModel(join(folder, 'models')) : null;
  return writeDemoConfig(
    folder,
    (name) => said.write(`writing demonstration model ${printable(name)} …\n`),
    path === null ? null : { name: FIRST_MODEL.name, path },
  );
}
