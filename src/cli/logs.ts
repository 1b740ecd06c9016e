import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { LoadedConfig } from '../config/load-config.ts';
import type { decisionListSchema, logSchema, ModelStatus, Shape } from '../management/schemas.ts';
import { askService, followService, modelPath, Refused, runnerPath } from './ask-service.ts';
import { runnerLogFolder, runnerLogName } from '../runner-log-name.ts';
import { dataFolderOf } from '../serve.ts';
import { stdout } from '../terminal/print.ts';
import { configOf, printJson } from './context.ts';
import { lastLines } from './last-lines.ts';
import { addressOf, type ServiceAddress } from './service-address.ts';

interface LogFlags {
  readonly lines: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** `corral logs MODEL|RUNNER`: what its process printed. */
export const logsCommand = (): Command =>
  new Command('logs')
    .description(
      "show a runner's log; of a model, that of its latest runner, or what was written of earlier ones",
    )
    .argument('<model|runner>', 'a runner as `corral ps` shows it, or a model')
    .option('-n, --lines <count>', 'so many of its last lines', wholeNumber, 100)
    .option('-f, --follow', 'go on with each further line until the runner has gone')
    .option('--json', 'print JSON')
    .action(async (name: string, { lines: count, follow, json }: LogFlags, command: Command) => {
      if (follow && json) command.error('error: --json prints what there is; it does not follow');
      const loaded = configOf(command);
      const address = addressOf(loaded);
      let runner: string;
      try {
        runner = await runnerOf(address, name);
      } catch (error) {
        const lines = follow ? [] : writtenBy(name, count, loaded);
        if (lines.length === 0) throw error;
        return print({ runnerId: null, lines }, json);
      }
      const path = `${runnerPath(runner)}/log`;
      if (follow) {
        for await (const text of await followService(address, `${path}/follow?lines=${count}`))
          stdout.write(text);
        return;
      }
      print(await askService<Shape<typeof logSchema>>(address, `${path}?lines=${count}`), json);
    });

function print(
  log: { readonly runnerId: string | null; readonly lines: readonly string[] },
  json = false,
): void {
  if (json) return printJson(log);
  stdout.write(log.lines.map((line) => `${line}\n`).join(''));
}

/** What a model's runners had printed before, also when no Corral runs. */
const writtenBy = (model: string, count: number, { config, path }: LoadedConfig): readonly string[] =>
  lastLines(
    join(runnerLogFolder(dataFolderOf(config, path, process.env)), `${runnerLogName(model)}.log`),
    count,
  );

function wholeNumber(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) > 1_000)
    throw new InvalidArgumentError('expected a number from 0 to 1000.');
  return Number(text);
}

/** The runner of this id; else the latest one of the model of this name, also when it has gone. */
async function runnerOf(address: ServiceAddress, name: string): Promise<string> {
  const isRunner = await askService(address, `${runnerPath(name)}/log?lines=0`).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Refused) return false;
      throw error;
    },
  );
  if (isRunner) return name;
  const model = await askService<ModelStatus>(address, modelPath(name));
  const runnerId = model.runners.at(-1) ?? (await lastRunnerOf(address, model.name));
  if (runnerId === undefined) throw new Error(`${model.name} has not been loaded yet: there is no log.`);
  return runnerId;
}

async function lastRunnerOf(address: ServiceAddress, model: string): Promise<string | undefined> {
  const query = new URLSearchParams({ model, limit: '1000' });
  const { decisions } = await askService<Shape<typeof decisionListSchema>>(
    address,
    `/api/v1/decisions?${query.toString()}`,
  );
  return decisions.findLast(({ runnerId }) => runnerId !== null)?.runnerId ?? undefined;
}
