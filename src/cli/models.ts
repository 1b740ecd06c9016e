import { Command } from 'commander';
import { formatBytes } from '../../machines/vocabulary.ts';
import type { ServiceStatus } from '../status.ts';
import { stderr, stdout } from '../terminal/print.ts';
import { askService, Refused } from './ask-service.ts';
import { printJson } from './context.ts';
import { discoverAll, discoveredText } from './discovered-text.ts';
import { openModels } from './open-models.ts';
import { addressOf, type ServiceAddress } from './service-address.ts';
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
        return options.json ? printJson(found) : stdout.write(discoveredText(found));
      }
      const { entries, ...loaded } = await openModels(command);
      const status = await statusAt(addressOf(loaded));
      const models = entries.map(({ name, aliases, spec }) => ({
        name,
        aliases,
        state:
          status?.runners.findLast((runner) => runner.model === name)?.state ??
          (status && withoutRunner(name, status)),
        failure: status?.failed.find(({ model }) => model === name)?.message ?? null,
        contextTokens: spec?.launch.contextTokens ?? null,
        needBytes: spec?.needBytes ?? null,
        usable: spec !== null,
      }));
      if (options.json) return printJson({ running: status !== null, models });
      if (models.length === 0) return stdout.write('No model is configured.\n');
      const rows = models.map((model) => [
        model.name,
        model.aliases.join(', '),
        model.usable ? (model.state ?? 'Corral is not running') : 'unusable, see `corral check`',
        model.contextTokens || '-',
        model.needBytes === null ? '-' : formatBytes(model.needBytes),
      ]);
      stdout.write(`${table(['MODEL', 'ALIASES', 'STATE', 'CONTEXT', 'NEEDS'], rows)}\n`);
      for (const { name, failure } of models)
        if (failure !== null) stdout.write(`${name} failed: ${failure}\n`);
    });

const withoutRunner = (name: string, { failed }: ServiceStatus): string =>
  failed.some(({ model }) => model === name) ? 'failed' : 'unloaded';

/** Null when no Corral runs, or when it does not tell; then why is said. */
async function statusAt(address: ServiceAddress): Promise<ServiceStatus | null> {
  try {
    return await askService<ServiceStatus>(address, '/api/v1/status');
  } catch (error) {
    if (error instanceof Refused) stderr.write(`${error.message}\n`);
    return null;
  }
}
