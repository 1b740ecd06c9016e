import { formatBytes, sumBytes } from '../vocabulary.ts';
import { canServe, isReturning, isServing } from './sharing.ts';
import type { Claim, ClassQueue, RunnerView, View } from './view.ts';

/**
 * Why a queue waits, in words. `coldReasons` are the planner's own, for classes that have no runner and no claim yet.
 */
export function explainWait(queue: ClassQueue, view: View, coldReasons: ReadonlyMap<string, string>): string {
  const { classKey, name } = queue.spec;
  const claim = view.claims.get(classKey);
  if (claim) return `waits for ${claimed(claim)}: ${whoGoes(claim, view)}`;
  const runners = view.runnersOf(name).filter((runner) => canServe(runner.spec, queue.spec));
  const loading = runners.find((runner) => runner.state === 'loading');
  if (loading) return `${name} is loading${percent(loading)}`;
  const serving = runners.filter(isServing);
  if (serving.length > 0) {
    const slots = serving.reduce((sum, runner) => sum + runner.slots, 0);
    return slots === 1 ? `the only slot of ${name} is in use` : `all ${slots} slots of ${name} are in use`;
  }
  const leaving = view.runnersOf(name).find(isReturning);
  return (
    coldReasons.get(classKey) ?? (leaving ? `${name} ${goes(leaving)} first` : 'its load is being planned')
  );
}

const claimed = (claim: Claim): string =>
  `${formatBytes(sumBytes(claim.reservation))} on ${Object.keys(claim.reservation).join(' + ')}`;

function whoGoes(claim: Claim, view: View): string {
  const runners = claim.awaits.flatMap((id) => view.runners.get(id) ?? []);
  return runners.map((runner) => `${runner.spec.name} ${goes(runner)}`).join(', ') || 'it is about to start';
}

function goes(runner: RunnerView): string {
  if (runner.state === 'vram-recovering') return 'has ended, its memory comes back';
  if (runner.state !== 'expiring') return 'unloads';
  const leases = runner.leases;
  return leases === 0 ? 'unloads' : `drains, ${leases} ${leases === 1 ? 'lease' : 'leases'}`;
}

const percent = (runner: RunnerView): string =>
  runner.progress === null ? '' : ` (${Math.round(runner.progress * 100)} %)`;
