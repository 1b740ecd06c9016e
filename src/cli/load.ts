import { Command } from 'commander';
import type { Explanation, ModelStatus } from '../management/schemas.ts';
import { stdout } from '../terminal/print.ts';
import { askService, modelPath, tellService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { ProgressLine } from './progress-line.ts';
import { addressOf, type ServiceAddress } from './service-address.ts';

const LOOK_EVERY_MS = 250;

/** `corral load MODEL`: loads it, shows how far it is, and ends when it is ready or has failed. */
export const loadCommand = (): Command =>
  new Command('load')
    .description('load a model and wait until it is ready')
    .argument('<model>', 'its name or alias')
    .option('--json', 'print JSON once it is ready')
    .action(async (name: string, { json }: { json?: boolean }, command: Command) => {
      const address = addressOf(configOf(command));
      const loading = tellService<ModelStatus>(address, `${modelPath(name)}/load?wait=true`, {}, true);
      if (json) return printJson(await loading);
      const line = new ProgressLine(stdout);
      const looking = setInterval(() => void look(address, name, line), LOOK_EVERY_MS);
      try {
        const model = await loading;
        line.end(`${model.name} is ready on ${model.runners.at(-1)}`);
      } finally {
        clearInterval(looking);
        line.clear();
      }
    });

async function look(address: ServiceAddress, name: string, line: ProgressLine): Promise<void> {
  const path = `/api/v1/explain/${encodeURIComponent(name)}`;
  // A look that fails shows nothing; the command itself says what is wrong.
  const seen = await askService<Explanation>(address, path).catch(() => null);
  if (seen) line.show(textOf(seen), seen.runners.at(-1)?.progress ?? null);
}

const textOf = ({ model, queue, state, reason }: Explanation): string =>
  queue[0]?.reason.replace(/ \(\d+ %\)$/, '') ?? `${model} is ${state}: ${reason}`;
