import { formatDuration } from '../../parts/format-duration.ts';
import type { Turn } from './conversation.ts';

/** What a reply took: the wait, of which the load; the first token; the speed. */
export function Measures({ turn }: { readonly turn: Turn }) {
  const { served, sentAtMs, firstTokenAtMs, tokens } = turn;
  const figures: [string, string][] = [
    ['waited', served ? formatDuration(served.waitMs) : '–'],
    ['of that, load', served ? formatDuration(served.loadMs) : '–'],
    ['first token after', firstTokenAtMs === null ? '–' : formatDuration(firstTokenAtMs - sentAtMs)],
    ['tokens', tokens === 0 ? '–' : String(tokens)],
    ['tokens/s', speedText(turn)],
    ['runner', served?.runnerId ?? '–'],
  ];
  return (
    <dl class="measures">
      {figures.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** As the runner measured it; else by the pieces that came. */
function speedText({ tokensPerSecond, tokens, firstTokenAtMs, endedAtMs }: Turn): string {
  if (tokensPerSecond !== null) return tokensPerSecond.toFixed(1);
  if (firstTokenAtMs === null || tokens < 2) return '–';
  const seconds = ((endedAtMs ?? performance.now()) - firstTokenAtMs) / 1000;
  return seconds > 0 ? ((tokens - 1) / seconds).toFixed(1) : '–';
}
