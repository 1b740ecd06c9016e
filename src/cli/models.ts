import { Command } from 'commander';
import { formatBytes } from '../../machines/vocabulary.ts';
import type { ServiceStatus } from '../status.ts';
import { addressOf, askService } from './ask-service.ts';
import { printJson } from './context.ts';
import { discoverAll, discoveredText } from './discovered-text.ts';
import { openModels } from './open-models.ts';
import { table } from './table.ts';

/** `corral models`: what is configured, and its state when a Corral is running. */
export const modelsCommand = (): Command =>
  new Command('models')
    .description('show the configured models, and their state if Corral is running')
    .option(
      '--discover',
      'show instead what other programs (llama.cpp, Ollama, Hugging Face) keep on this machine',
    )
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean; discover?: boolean }, command: Command) => {
      if (options.discover) {
        const found = await discoverAll(process.env);
        return options.json ? printJson(found) : void process.stdout.write(discoveredText(found));
      }
      const { config, entries } = await openModels(command);
      const status = await askService<ServiceStatus>(addressOf(config), '/api/v1/status').catch(() => null);
      const models = entries.map(({ name, aliases, spec }) => ({
        name,
        aliases,
        state:
          status?.runners.findLast((runner) => runner.model === name)?.state ?? (status ? 'unloaded' : null),
        contextTokens: spec?.launch.contextTokens ?? null,
        needBytes: spec?.needBytes ?? null,
        usable: spec !== null,
      }));
      if (options.json) return printJson({ running: status !== null, models });
      if (models.length === 0) return void process.stdout.write('No model is configured.\n');
      const rows = models.map((model) => [
        model.name,
        model.aliases.join(', '),
        model.usable ? (model.state ?? 'Corral is not running') : 'unusable, see `corral check`',
        model.contextTokens ?? '-',
        model.needBytes === null ? '-' : formatBytes(model.needBytes),
      ]);
      process.stdout.write(`${table(['MODEL', 'ALIASES', 'STATE', 'CONTEXT', 'NEEDS'], rows)}\n`);
    });
