import { decide } from '../machines/planning/plan.ts';
import type { RunnerReport } from '../machines/runner/contract.ts';
import type { SchedulerSettings } from '../machines/scheduler/contract.ts';
import { Ledger } from '../machines/scheduler/ledger.ts';
import { noteLeaseOpened } from '../machines/scheduler/reports.ts';
import { carryOutPlan, takeRequest, type Outlet } from '../machines/scheduler/steps.ts';
import { newTables } from '../machines/scheduler/tables.ts';
import type { ModelSpec, RunnerId } from '../machines/vocabulary.ts';
import { VirtualClock } from '../src/simulation/virtual-clock.ts';
import type { Trace } from '../src/simulation/trace.ts';

type LeaseOpened = Extract<RunnerReport, { type: 'lease.opened' }>;
const ENDPOINT = { baseUrl: '', apiKey: '' };

/**
 * A trace on the planner's core alone: the ledger and the policy as the scheduler uses them, with runners that are rows in a
 * table and not actors. Returns the number of events (arrivals, leases opened and released, loads, unloads, wake-ups).
 */
export function runPlain(
  trace: Trace,
  settings: SchedulerSettings,
  specs: ReadonlyMap<string, ModelSpec>,
): number {
  const clock = new VirtualClock();
  let ledger = new Ledger(newTables(settings), clock.now);
  ledger.read(
    trace.gpusBytes.map((totalBytes, i) => ({
      id: `CUDA${i}`,
      name: `GPU ${i}`,
      library: 'CUDA',
      kind: 'discrete',
      totalBytes,
      freeBytes: totalBytes,
    })),
  );
  const models = new Map(trace.models.map((model) => [model.name, model]));
  let events = 0;
  let wake = 0;
  const opening: LeaseOpened[] = [];
  const happened = (): void => {
    events++;
    carryOutPlan(ledger, settings, out);
    // The runners' answers, which are events too.
    for (const report of opening) noteLeaseOpened(ledger, report, out);
    events += opening.length;
    opening.length = 0;
    // As the scheduler's transitions do: each begins with the tables that the one before has left.
    ledger = new Ledger(ledger.finish(), clock.now);
  };
  const unload = (runnerId: RunnerId): void => {
    ledger.moveRunner(runnerId, 'unloading', '');
    clock.setTimeout(() => {
      const runner = ledger.runners.get(runnerId);
      if (runner) ledger.removeRunner(runner);
      happened();
    }, 1_000);
  };
  const keepAlives = new Map<RunnerId, number>();
  const restIfIdle = (runnerId: RunnerId): void => {
    const runner = ledger.runners.get(runnerId);
    if (!runner || runner.leases.size > 0) return;
    if (runner.isDismissed) return unload(runnerId);
    const timer = clock.setTimeout(() => (unload(runnerId), happened()), Number(runner.keepAlive));
    keepAlives.set(runnerId, timer);
  };
  const out: Outlet = {
    emit: () => {},
    reap: () => {},
    wakeIn: (delayMs) => {
      clock.clearTimeout(wake);
      wake = clock.setTimeout(happened, delayMs);
    },
    spawn: (runnerId, spec) => {
      clock.setTimeout(
        () => {
          const runner = ledger.runners.get(runnerId);
          if (!runner || runner.isDismissed) return;
          ledger.noteLoaded(runner, null);
          restIfIdle(runnerId);
          happened();
        },
        models.get(spec.name)?.loadMs ?? 0,
      );
    },
    command: (runnerId, command) => {
      if (!ledger.runners.has(runnerId)) return;
      clock.clearTimeout(keepAlives.get(runnerId) ?? 0);
      if (command.type === 'runner.expire') return restIfIdle(runnerId);
      if (command.type !== 'lease.open') return;
      const { leaseId } = command;
      opening.push({ type: 'lease.opened', runnerId, leaseId, endpoint: ENDPOINT });
      const request = trace.requests[Number(leaseId)];
      const model = request && models.get(request.model);
      if (!model) return;
      const runMs =
        1000 *
        (request.promptTokens / model.prefillTokensPerSecond +
          request.outputTokens / model.decodeTokensPerSecond);
      clock.setTimeout(() => {
        ledger.release(leaseId);
        restIfIdle(runnerId);
        happened();
      }, runMs);
    },
  };
  trace.requests.forEach(({ atMs, model }, i) => {
    const spec = specs.get(model);
    if (!spec) return;
    clock.advanceTo(atMs);
    const request = {
      leaseId: String(i),
      spec,
      priority: 'normal' as const,
      keepAlive: null,
      waitLimitMs: Infinity,
      isRetry: false,
    };
    takeRequest(ledger, settings, request, out);
    happened();
  });
  while (ledger.waitingCount + ledger.leases.size > 0 && clock.step());
  if (decide(ledger, clock.now()).kind !== 'rest') throw new Error('the planner still wants something');
  return events;
}
