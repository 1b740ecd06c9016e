import { Command } from 'commander';
import { formatBytes } from '../../machines/vocabulary.ts';
import type { ServiceStatus } from '../status.ts';
import { addressOf, askService } from './ask-service.ts';
import { printJson } from './context.ts';
import { openModels } from './open-models.ts';
import { table } from './table.ts';

/** `corral models`: what is configured, and its state when a Corral is running. */
export const modelsCommand = (): Command =>
  new Command('models')
    .description('show the configured models, and their state if Corral is running')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
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
