import { withExpertsAside } from '../../machines/planning/experts-aside.ts';
import { explainWait } from '../../machines/planning/explain.ts';
import { pausedText } from '../../machines/planning/paused.ts';
import { sitesFor } from '../../machines/planning/placement.ts';
import { sumBytes, formatBytes, type ModelSpec } from '../../machines/vocabulary.ts';
import type { Failure } from '../../machines/failures.ts';
import type { DecisionRecord } from '../../machines/scheduler/contract.ts';
import type { LedgerReader } from '../../machines/scheduler/ledger-reader.ts';
import type { RunnerLimits } from '../../machines/runner/contract.ts';
import type { RunnerRow } from '../../machines/scheduler/tables.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import { runnerStatus, waitsOf } from '../status.ts';
import type { Explanation } from './schemas.ts';
import { decisionEntry, modelStatus, needOf } from './views.ts';

/** Decisions that are shown. */
const SHOWN = 20;

/** Why a model is in its state, who waits for it and for what, and what would have to happen. `log` is oldest first. */
export function explainModel(
  entry: CatalogueEntry,
  ledger: LedgerReader,
  log: readonly DecisionRecord[],
  { terminateGraceMs }: Pick<RunnerLimits, 'terminateGraceMs'>,
): Explanation {
  const { name, spec } = entry;
  const nowMs = ledger.now();
  const decisions = log.filter(({ model }) => model === name);
  const runners = ledger.runnersOf(name);
  const claim = spec && ledger.claims.get(spec.classKey);
  const retryInMs = Math.max(0, Math.round(ledger.retryAtMs(name) - nowMs)) || null;
  const runner = runners.at(-1);
  return {
    model: name,
    state: modelStatus(entry, ledger).state,
    reason: runner?.reason ?? reasonWithout(entry, ledger, decisions),
    next: runner ? nextOf(runner, nowMs, terminateGraceMs) : nextWithout(entry, ledger, retryInMs),
    modes: ledger.modesOf(name),
    need: spec && needOf(spec),
    conversations: spec && conversationsText(spec),
    runners: runners.map((one) => runnerStatus(one, nowMs)),
    queue: ledger.queuesOf(name).flatMap((queue) => waitsOf(queue, ledger)),
    claim: claim ? { reservedBytes: claim.reservation, awaits: claim.awaits } : null,
    retryInMs,
    decisions: decisions.slice(-SHOWN).map(decisionEntry),
  };
}

const conversationsText = ({ conversationsLost }: ModelSpec): string =>
  conversationsLost === undefined
    ? 'kept on disk when it is unloaded, where that saves time'
    : `not kept when it is unloaded: ${conversationsLost}`;

function reasonWithout(
  { name, spec, problem }: CatalogueEntry,
  ledger: LedgerReader,
  decisions: readonly DecisionRecord[],
): string {
  if (problem) return problem.message;
  const [queue] = ledger.queuesOf(name);
  if (queue) return explainWait(queue, ledger, ledger.waits);
  const failure = spec && failureOf(spec, ledger);
  const failed = failure ?? ledger.lastFailureOf(name);
  if (failed) return failed.message;
  const pause = spec && pauseOf(spec, ledger);
  if (pause) return pause;
  const last = decisions.findLast(({ kind }) => kind === 'unload' || kind === 'failed' || kind === 'refuse');
  return last ? last.reason : 'nobody has asked for it yet';
}

/** Why no device there is could ever hold it; null where one could. */
function failureOf(spec: ModelSpec, ledger: LedgerReader): Failure | null {
  const found = sitesFor(withExpertsAside(spec, ledger), ledger);
  return 'failure' in found ? found.failure : null;
}

/** What it waits for that could only be on devices which are paused; null where one is not. */
function pauseOf(spec: ModelSpec, ledger: LedgerReader): string | null {
  const found = sitesFor(withExpertsAside(spec, ledger), ledger);
  return 'paused' in found ? pausedText(found.paused) : null;
}

function nextWithout({ name, spec }: CatalogueEntry, ledger: LedgerReader, retryInMs: number | null): string {
  if (!spec) return 'its file has to be mended, and Corral started again';
  const retry =
    retryInMs === null ? '' : `, not before ${seconds(retryInMs)} have passed: its load kept failing`;
  const [queue] = ledger.queuesOf(name);
  if (pauseOf(spec, ledger) !== null) return `it can be loaded once its device is given back${retry}`;
  if (!queue && ledger.models.get(name)?.state.place === 'displaced')
    return `it had to go for something else, and comes back once nobody needs the room${retry}`;
  if (!queue)
    return failureOf(spec, ledger)
      ? 'a request for it is refused, until that has changed'
      : `a request for it loads it${retry}`;
  const claim = ledger.claims.get(queue.spec.classKey);
  if (!claim) return `${formatBytes(queue.spec.needBytes)} have to become free, or worth an eviction${retry}`;
  const bytes = formatBytes(sumBytes(claim.reservation));
  return `${bytes} are promised to it; it is loaded once ${claim.awaits.join(' and ')} ${claim.awaits.length === 1 ? 'has' : 'have'} gone`;
}

function nextOf(runner: RunnerRow, nowMs: number, graceMs: number): string {
  const { state, leases, keepAlive, pinned, stateSinceMs, spec } = runner;
  const left = leases === 1 ? 'its lease has to end' : `its ${leases} leases have to end`;
  switch (state) {
    case 'loading':
      return readyText(runner);
    case 'ready':
      return `${left}, then ${keepAlive === 'forever' || pinned ? 'it stays' : `it stays for ${seconds(keepAlive)}`}`;
    case 'idle':
      if (pinned) return 'it stays until it is unpinned or unloaded';
      if (keepAlive === 'forever') return 'it stays until its memory is wanted';
      if (runner.overstayed) return 'its keep-alive has ended; it stays until its memory is wanted';
      return `it is unloaded in ${seconds(stateSinceMs + keepAlive - nowMs)} if nobody asks for it, sooner if its memory is wanted`;
    case 'expiring':
      return leases > 0 ? `${left}, then it is unloaded` : 'it is about to be unloaded';
    case 'unloading':
      return `its process has to end; it is killed ${lasting(spec.limits?.terminateGraceMs ?? graceMs)} after it was asked to (limits.terminate)`;
    case 'vram-recovering':
      return 'its memory has to come back';
    case 'failed':
    case 'gone':
      return 'nothing: it has ended';
  }
}

function readyText({ spec: { launch } }: RunnerRow): string {
  if (launch.runtime !== 'command') return 'its process has to say that it is ready';
  const { command, health } = launch.program;
  return `${command[0]} has to answer GET ${health.path} with ${health.status}`;
}

const lasting = (ms: number): string => (ms < 10_000 ? `${ms / 1000} s` : seconds(ms));
const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))} s`;
