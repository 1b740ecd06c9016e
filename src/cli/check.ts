import { Command } from 'commander';
import { requireKeys } from '../auth/require-keys.ts';
import { overridesOf, strangeVariables } from '../config/environment.ts';
import { tlsPathsOf } from '../config/tls-paths-of.ts';
import { fittedNow } from '../fit/fitting.ts';
import { readTlsFiles } from '../http/tls-files.ts';
import { needText, partsText, toldParts } from '../need-text.ts';
import { stdout } from '../terminal/print.ts';
import { printJson } from './context.ts';
import { deviceLines, listedDevices } from './listed-devices.ts';
import { openModels } from './open-models.ts';
import { table } from './table.ts';

/** For llama-fit-params, over all models: a hanging one is no reason to keep anybody waiting. */
const FIT_WITHIN_MS = 10_000;

/** `corral check`: whether the configuration is right, and what each model needs. */
export const checkCommand = (): Command =>
  new Command('check')
    .description('validate the configuration and read every model file')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
      const {
        config,
        path,
        files,
        llamaServer,
        fitTool,
        entries: found,
        warnings,
      } = await openModels(command);
      requireKeys(config, path ?? 'the configuration');
      const tls = tlsPathsOf(config, path);
      if (tls) readTlsFiles(tls);
      const asked = { env: process.env, withinMs: FIT_WITHIN_MS };
      const entries = fitTool ? await fittedNow(found, fitTool, asked) : found;
      const models = entries.map(({ name, aliases, spec, problem }) => ({
        name,
        aliases,
        path: spec?.launch.modelPath ?? null,
        runtime: spec?.launch.runtime ?? null,
        command: spec?.launch.runtime === 'command' ? spec.launch.program.command : null,
        contextTokens: spec?.launch.contextTokens ?? null,
        slots: spec?.launch.slots ?? null,
        needBytes: spec?.needBytes ?? null,
        needSource: spec?.needSource ?? null,
        hostBytes: spec?.hostBytes ?? 0,
        needParts: spec ? toldParts(spec) : [],
        problem: problem?.message ?? null,
      }));
      const bad = models.filter(({ problem }) => problem !== null);
      if (bad.length > 0) process.exitCode = 1;
      const environment = overridesOf(process.env).map((one) => ({
        variable: one.source,
        key: one.path.join('.'),
      }));
      const { devices, problem: listing } = await listedDevices(llamaServer, config);
      const told = [
        ...warnings,
        ...strangeVariables(process.env),
        ...(listing === null ? [] : [`the devices could not be listed: ${listing}`]),
      ];
      if (options.json)
        return printJson({ config: path, files, llamaServer, environment, devices, models, warnings: told });
      const specs = new Map(entries.flatMap(({ name, spec }) => (spec ? [[name, needText(spec)]] : [])));
      const madeOf = entries.flatMap(({ name, spec }) => {
        const parts = spec && partsText(spec);
        return parts === null ? [] : [`${name}: ${parts}`];
      });
      const rows = models.map((model) => [
        model.name,
        model.runtime ?? '-',
        model.contextTokens || '-',
        model.slots ?? '-',
        specs.get(model.name) ?? '-',
        model.problem ?? model.command?.join(' ') ?? model.path ?? '',
      ]);
      const verdict = verdictOn(models.length, bad.length, told.length);
      stdout.write(`${files.join(', ') || 'no configuration: all defaults'}: ${verdict}\n`);
      stdout.write(`llama-server: ${llamaServer ?? 'none found, the embedded runner is used'}\n`);
      for (const line of deviceLines(devices)) stdout.write(`${line}\n`);
      for (const { variable, key } of environment) stdout.write(`${key}: as ${variable} says\n`);
      for (const warning of told) stdout.write(`warning: ${warning}\n`);
      if (rows.length > 0)
        stdout.write(
          `\n${table(['MODEL', 'RUNTIME', 'CONTEXT', 'SLOTS', 'NEEDS', 'FILE OR COMMAND'], rows)}\n`,
        );
      if (madeOf.length > 0) stdout.write(`\n${madeOf.join('\n')}\n`);
    });

function verdictOn(models: number, bad: number, warnings: number): string {
  if (bad > 0) return `${bad} of ${models} models cannot be used`;
  const lacks = [
    ...(models === 0 ? ['it names no models'] : []),
    ...(warnings > 0 ? ['there are warnings'] : []),
  ];
  return lacks.length === 0 ? 'all is well' : `can be used, but ${lacks.join(', and ')}`;
}
