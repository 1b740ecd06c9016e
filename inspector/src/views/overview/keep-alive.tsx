import type { Runner } from '../../live/picture.ts';
import { shown } from '../../live/shown.ts';
import { formatClock } from '../../parts/format-duration.ts';

interface Props {
  readonly runner: Runner | null;
  readonly isPinned: boolean;
}

/** How long a runner still stays without a request, counting down; or why that does not count. */
export function KeepAlive({ runner, isPinned }: Props) {
  if (runner?.pinned ?? isPinned) return <>pinned</>;
  if (!runner) return null;
  if (runner.idleUntil !== null) return <>{formatClock(Date.parse(runner.idleUntil) - shown.nowMs.value)}</>;
  if (runner.keepAliveMs === 'forever') return <>forever</>;
  // While it serves, the whole of it is still to come.
  return <span class="later">{formatClock(runner.keepAliveMs)}</span>;
}
