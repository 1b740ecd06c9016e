import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { stringify } from 'yaml';
import type { ScenarioInput } from '../simulation/scenario/schema.ts';
import { stdout } from '../terminal/print.ts';
import { askService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { addressOf } from './service-address.ts';

/** `corral record`: what a running Corral has done since its start, as a scenario that `corral simulate` plays. */
export const recordCommand = (): Command =>
  new Command('record')
    .description('write down what the service has done since its start, as a scenario to simulate')
    .option('-o, --output <file>', 'where to write it (default: standard output)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The scenario has the devices, models and settings, each request (when it came and how long it ran, never what it said), how long each load
and unload took, and the decisions, which are what is expected of it. It keeps the first 5,000 requests.

Examples:
  corral record -o today.yaml && corral simulate today.yaml
  corral simulate today.yaml --policy ollama     the same day, as Ollama would have done it`,
    )
    .action(
      async ({ output, json }: { output?: string; json?: boolean }, command: Command): Promise<void> => {
        const address = addressOf(configOf(command));
        const scenario = await askService<ScenarioInput>(address, '/api/v1/recording');
        if (json) return printJson(scenario);
        const text = stringify(scenario, { flowCollectionPadding: true, lineWidth: 120 });
        if (output === undefined) return stdout.writeData(text);
        writeFileSync(output, text);
        stdout.write(`${output}: ${scenario.timeline.length} steps. Play it: corral simulate ${output}\n`);
      },
    );
