import { Command } from 'commander';
import { pino, type Logger } from 'pino';
import { defaultDataFolder, findConfig } from '../config/find-config.ts';
import { loadConfig, type LoadedConfig } from '../config/load-config.ts';
import { configSchema } from '../config/schema.ts';
import { writeDemoConfig } from '../config/demo-config.ts';
import { serve, type Served } from '../serve.ts';

/** `corral serve`: runs until a signal. */
export const serveCommand = (): Command =>
  new Command('serve')
    .description('start Corral')
    .option(
      '--inspect [relay]',
      'let inspectors of statecharts attach at /inspect; push to a relay (ws://…) as well',
    )
    .action(async (_options: object, command: Command) => {
      const flags = command.optsWithGlobals<ServeFlags>();
      const loaded = withFlags(await configOrDemo(flags.config), flags);
      const log = pino(
        { level: loaded.config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime },
        pino.destination({ dest: 2, sync: false, minLength: 4_096, periodicFlush: 250 }),
      );
      const served = await serve({ ...loaded, configPath: loaded.path, log }).catch((error: unknown) => {
        throw explainStart(error, loaded);
      });
      process.stdout.write(welcome(served, loaded));
      stopOnSignals(served, loaded.config.shutdownGrace, log);
    });

interface ServeFlags {
  readonly config?: string;
  readonly inspect?: boolean | string;
}

/** What is said on the command line goes before what the file says. Throws for a relay's address that is none. */
function withFlags(loaded: LoadedConfig, { inspect }: ServeFlags): LoadedConfig {
  if (inspect === undefined) return loaded;
  const { success, data } = configSchema.shape.inspect.safeParse(inspect);
  if (!success) throw new Error(`--inspect: expected an address such as ws://localhost:8080, not ${inspect}`);
  return { ...loaded, config: { ...loaded.config, inspect: data } };
}

/** The configuration that is named or found; on a first start without any, the demonstration's. */
async function configOrDemo(named: string | undefined): Promise<LoadedConfig> {
  const path = findConfig(named, process.env);
  if (path !== null) return loadConfig(path);
  const folder = defaultDataFolder(process.env);
  const demo = await writeDemoConfig(folder, (name) =>
    process.stdout.write(`writing demonstration model ${name} …\n`),
  );
  return loadConfig(demo);
}

function explainStart(error: unknown, { config }: LoadedConfig): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  const { host, port } = config.listen;
  return new Error(
    `${host}:${port} is in use, perhaps by another Corral. Choose another port: CORRAL_PORT=${port + 1}, or listen.port.`,
  );
}

function welcome({ url, catalogue, scheduler, llamaServer }: Served, { path, config }: LoadedConfig): string {
  const models = catalogue.list(scheduler.getSnapshot().context.ledger).map(({ name }) => name);
  const chat = models.find((name) => !/embed/i.test(name)) ?? models[0] ?? 'MODEL';
  const keys = Object.keys(config.keys);
  const auth = keys.length > 0 ? ` -H "authorization: Bearer $CORRAL_API_KEY"` : '';
  const inspectors = config.inspect
    ? `  inspectors      ${url.replace('http', 'ws')}/inspect   or, with Stately's: ${url}/inspect\n`
    : '';
  const body = `{"model":"${chat}","messages":[{"role":"user","content":"Hello"}]}`;
  return `
Corral serves ${models.length} ${models.length === 1 ? 'model' : 'models'} at ${url}

  models          ${models.join(', ') || `none yet: name some in ${path}`}
  runs them with  ${llamaServer ?? 'the embedded runner (no llama-server found)'}
  configuration   ${path}
  keys            ${keys.join(', ') || 'none: everybody on this machine may do everything'}
  status          ${url}/   or: npx corral ps
${inspectors}
Try:
  curl ${url}/v1/chat/completions -H 'content-type: application/json'${auth} -d '${body}'

Ctrl-C stops it.
`;
}

/** The first signal drains, a second one hurries, a third one ends it all. */
function stopOnSignals(served: Served, graceMs: number, log: Logger): void {
  let signals = 0;
  const onSignal = (signal: string): void => {
    signals++;
    log.info(
      { event: 'shutdown', signal, signals },
      ['draining', 'ending all runners', 'exiting'][signals - 1] ?? '',
    );
    if (signals === 1) void served.stop(graceMs).then(() => process.exit(0));
    else if (signals === 2) served.hurry();
    else process.exit(1);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
}
