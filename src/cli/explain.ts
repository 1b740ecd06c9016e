import { Command } from 'commander';
import { formatBytes, sumBytes } from '../../machines/vocabulary.ts';
import type { Explanation } from '../management/schemas.ts';
import { needText, partsText } from '../need-text.ts';
import { stdout } from '../terminal/print.ts';
import { askService } from './ask-service.ts';
import { configOf, printJson } from './context.ts';
import { addressOf } from './service-address.ts';
import { formatDuration, table } from './table.ts';

/** `corral explain MODEL`: why it is in its state, who waits for it, what would have to happen. */
export const explainCommand = (): Command =>
  new Command('explain')
    .description('say why a model is in the state that it is in, and what would have to happen')
    .argument('<model>', 'its name or alias')
    .option('--json', 'print JSON')
    .action(async (name: string, { json }: { json?: boolean }, command: Command) => {
      const address = addressOf(configOf(command));
      const found = await askService<Explanation>(address, `/api/v1/explain/${encodeURIComponent(name)}`);
      if (json) return printJson(found);
      stdout.write(`${textOf(found)}\n`);
    });

function textOf({
  model,
  state,
  reason,
  next,
  modes,
  need,
  conversations,
  runners,
  queue,
  decisions,
}: Explanation): string {
  const madeOf = need && partsText(need);
  const needed = need ? `\nneeds: ${needText(need)}${madeOf === null ? '' : `\n  ${madeOf}`}` : '';
  const kept = conversations === null ? '' : `\nconversations: ${conversations}`;
  const chart = Object.entries(modes).map(([region, mode]) => `${region} ${mode}`);
  const parts = [
    `${model} is ${state}: ${reason}\nnext: ${next}\nmodes: ${chart.join(', ')}${needed}${kept}`,
  ];
  if (runners.length > 0)
    parts.push(
      table(
        ['RUNNER', 'STATE', 'SINCE', 'LEASES', 'RESERVED', 'MEASURED', 'REASON'],
        runners.map((runner) => [
          runner.id,
          runner.state,
          formatDuration(runner.sinceMs),
          `${runner.leases}/${runner.slots}`,
          formatBytes(sumBytes(runner.reservedBytes)),
          runner.measuredBytes === null ? '-' : formatBytes(runner.measuredBytes),
          runner.reason,
        ]),
      ),
    );
  if (queue.length > 0)
    parts.push(
      table(
        ['POSITION', 'WAITS SINCE', 'ABOUT', 'FOR'],
        queue.map(({ position, waitedMs, estimateMs, reason: wait }) => [
          position,
          formatDuration(waitedMs),
          estimateMs === null ? 'unknown' : formatDuration(estimateMs),
          wait,
        ]),
      ),
    );
  if (decisions.length > 0)
    parts.push(
      table(
        ['WHEN', 'DECISION', 'RUNNER', 'WHY'],
        decisions.map(({ at, kind, runnerId, reason: why }) => [at, kind, runnerId ?? '-', why]),
      ),
    );
  return parts.join('\n\n');
}
