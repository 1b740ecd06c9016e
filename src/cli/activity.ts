import { Command } from 'commander';
import type { ActivityRow } from '../activity/row-of.ts';
import { toCsv } from '../activity/csv.ts';
import { stdout } from '../terminal/print.ts';
import { askService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { addressOf } from './service-address.ts';
import { formatDuration, table } from './table.ts';

interface ActivityFlags {
  readonly model?: string;
  readonly key?: string;
  readonly limit: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

/** `corral activity`: what was asked lately, of which model, by whom, and how fast. */
export const activityCommand = (): Command =>
  new Command('activity')
    .description('show the last requests: model, caller, tokens, waits and speeds')
    .option('--model <model>', 'only those for this model')
    .option('--key <name>', 'only those with the key of this name')
    .option('-n, --limit <count>', 'how many, the latest ones', '30')
    .option('--csv', 'print CSV')
    .option('--json', 'print JSON')
    .action(async ({ model, key, limit, csv, json }: ActivityFlags, command: Command) => {
      const query = new URLSearchParams({
        limit,
        ...(model !== undefined && { model }),
        ...(key !== undefined && { caller: key }),
      });
      const address = addressOf(configOf(command));
      const { requests } = await askService<{ readonly requests: readonly ActivityRow[] }>(
        address,
        `/api/v1/activity?${query.toString()}`,
      );
      if (json) return printJson(requests);
      if (csv) return stdout.writeData(toCsv(requests));
      if (requests.length === 0) return stdout.write('Nothing was asked lately.\n');
      stdout.write(`${table(HEAD, requests.map(rowOf))}\n`);
    });

const HEAD = [
  'AT',
  'MODEL',
  'CALLER',
  'PATH',
  'STATUS',
  'IN',
  'CACHED',
  'OUT',
  'WAIT',
  'LOAD',
  'PREFILL/S',
  'GEN/S',
  'TOOK',
];

const rowOf = (row: ActivityRow): readonly (string | number)[] => [
  row.at.slice(11, 19),
  row.model ?? '-',
  row.caller ?? '-',
  row.path,
  row.outcome === 'ok' ? row.status : `${row.status} ${row.outcome}`,
  row.inputTokens ?? '-',
  row.cachedTokens ?? '-',
  row.outputTokens ?? '-',
  formatDuration(row.waitMs),
  formatDuration(row.loadMs),
  row.promptPerSecond ?? '-',
  row.generatedPerSecond ?? '-',
  formatDuration(row.durationMs),
];
