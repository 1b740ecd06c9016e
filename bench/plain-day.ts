import { canServe, isReturning, isServing } from '../machines/planning/sharing.ts';
import { decide } from '../machines/planning/plan.ts';
import type { SchedulerSettings } from '../machines/scheduler/contract.ts';
import { Ledger } from '../machines/scheduler/ledger.ts';
import { carryOutPlan, takeRequest, type Outlet } from '../machines/scheduler/steps.ts';
import { newTables } from '../machines/scheduler/tables.ts';
import type { ModelSpec, RunnerId } from '../machines/vocabulary.ts';
import { VirtualClock } from '../src/simulation/virtual-clock.ts';
import type { Trace } from '../src/simulation/trace.ts';

/**
 * A trace on the planner's core alone: the ledger and the policy as the scheduler uses them, with runners that are rows in a
 * table and not actors. Requests that find a free slot are let in and told of, as at the doors. Returns the number of events (arrivals,
 * leases that end, loads, unloads, wake-ups).
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
  const happened = (): void => {
    events++;
    carryOutPlan(ledger, settings, out);
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
    if (!runner || runner.leases > 0) return;
    if (isReturning(runner)) return unload(runnerId);
    const timer = clock.setTimeout(() => (unload(runnerId), happened()), Number(runner.keepAlive));
    keepAlives.set(runnerId, timer);
  };
  const serve = (index: number, runnerId: RunnerId): void => {
    clock.clearTimeout(keepAlives.get(runnerId) ?? 0);
    const request = trace.requests[index];
    const model = request && models.get(request.model);
    if (!model) return;
    const runMs =
      1000 *
      (request.promptTokens / model.prefillTokensPerSecond +
        request.outputTokens / model.decodeTokensPerSecond);
    clock.setTimeout(() => {
      ledger.noteUses([{ kind: 'left', runnerId, atMs: clock.now(), servedMs: runMs }]);
      restIfIdle(runnerId);
      happened();
    }, runMs);
  };
  const freeRunnerFor = (spec: ModelSpec): RunnerId | undefined =>
    ledger.queuesOf(spec.name).length > 0
      ? undefined
      : ledger
          .runnersOf(spec.name)
          .find((one) => isServing(one) && one.leases < one.slots && canServe(one.spec, spec))?.id;
  const out: Outlet = {
    emit: (event) => {
      if (event.type === 'request.granted') serve(Number(event.waiting.leaseId), event.runnerId);
    },
    reap: () => {},
    wakeIn: (delayMs) => {
      clock.clearTimeout(wake);
      wake = clock.setTimeout(happened, delayMs);
    },
    spawn: (runnerId, spec) => {
      clock.setTimeout(
        () => {
          const runner = ledger.runners.get(runnerId);
          if (!runner || isReturning(runner)) return;
          ledger.noteLoaded(runner, spec.launch.slots);
          restIfIdle(runnerId);
          happened();
        },
        models.get(spec.name)?.loadMs ?? 0,
      );
    },
    command: (runnerId, command) => {
      if (!ledger.runners.has(runnerId)) return;
      clock.clearTimeout(keepAlives.get(runnerId) ?? 0);
      if (command.type === 'runner.expire') restIfIdle(runnerId);
    },
  };
  trace.requests.forEach(({ atMs, model }, i) => {
    const spec = specs.get(model);
    if (!spec) return;
    clock.advanceTo(atMs);
    const runnerId = freeRunnerFor(spec);
    if (runnerId !== undefined) {
      ledger.noteUses([{ kind: 'entered', runnerId, atMs, keepAlive: null, isRetry: false }]);
      serve(i, runnerId);
      return happened();
    }
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
  while (ledger.waitingCount + ledger.leaseCount > 0 && clock.step());
  if (decide(ledger, clock.now()).kind !== 'rest') throw new Error('the planner still wants something');
  return events;
}
