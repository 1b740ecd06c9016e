import { isReturning } from '../../machines/planning/sharing.ts';
import type { PolicyName } from '../../machines/planning/view.ts';
import { ledgerOf } from '../ledger-of.ts';
import type { LedgerReader } from '../../machines/scheduler/ledger-reader.ts';
import { createScheduler } from '../compose.ts';
import { simulatedEffects } from './effects.ts';
import { check } from './scenario/check.ts';
import { Director } from './scenario/director.ts';
import { measuresOf } from './scenario/measures.ts';
import { ModelSpecs } from './scenario/model-specs.ts';
import { Recorder, type Sight } from './scenario/recorder.ts';
import type { SimulationResult } from './scenario/result.ts';
import type { Scenario } from './scenario/schema.ts';
import { settingsOf, worldOf } from './scenario/stage.ts';
import { Told } from './told.ts';
import type { World } from './world.ts';

export { ConfigError, type ConfigProblem } from '../config/config-error.ts';
export { policyNames, type PolicyName } from '../../machines/planning/view.ts';
export { parseScenario, scenarioOf } from './scenario/parse-scenario.ts';
export type { Scenario, ScenarioInput } from './scenario/schema.ts';
export type * from './scenario/result.ts';

/** A run without `until` ends so long after the last thing in its script, whatever still goes on. */
const LONGEST_ENDING_MS = 3_600_000;

/** Where a scenario says what must come of it under each policy. */
const ROOTS = { default: 'expect', ollama: 'ollama', fifo: 'fifo' } as const satisfies Record<
  PolicyName,
  keyof Scenario
>;

export interface SimulateOptions {
  /** Wins over the scenario's own `settings.policy`. */
  readonly policy?: PolicyName;
  /** Adds `told` events to the result: what the WebSocket API would have told, which the page shows. */
  readonly told?: boolean;
}

/**
 * Plays a scenario through the real statecharts in virtual time, and compares what comes of it with what was expected. Never
 * throws for an expectation that failed: those are in the result.
 */
export function simulate(scenario: Scenario, options: SimulateOptions = {}): SimulationResult {
  const policy = options.policy ?? scenario.settings.policy ?? 'default';
  const root = ROOTS[policy];
  const expected = scenario[root];
  const world = worldOf(scenario);
  const { clock } = world;
  const specs = new ModelSpecs(scenario);
  const { scheduler, doors } = createScheduler(simulatedEffects(world), {
    clock,
    tellWithinMs: 0,
    input: {
      settings: settingsOf(scenario, policy),
      now: clock.now,
      preload: preloadOf(scenario, specs),
      demand: scenario.demand,
    },
  });
  const ledger = () => ledgerOf(scheduler);
  const recorder = new Recorder(world, ledger, isHonest(scenario));
  const director = new Director({ scenario, world, specs, recorder, scheduler, doors });
  recorder.listen(scheduler, doors);
  scheduler.on('model.learned', ({ classKey, needBytes }) => {
    if (needBytes !== null) specs.learn(classKey, needBytes);
  });
  const told = options.told ? new Told(scheduler, (one) => recorder.note('told', one)) : null;
  director.begin();
  scheduler.start();
  const moments = run(scenario, expected?.moments ?? [], { world, ledger, recorder, director, told });
  const end = recorder.sight();
  recorder.finish();
  scheduler.stop();
  const requests = [...recorder.requests.values()];
  const evidence = { recorder, moments, end, toleranceMs: scenario.tolerance };
  return {
    policy,
    isChecked: expected !== undefined,
    endedAtMs: clock.now(),
    requests,
    runners: [...recorder.runners.values()],
    devices: [...recorder.devices.values()],
    queue: recorder.queue,
    decisions: recorder.decisions,
    events: recorder.events,
    measures: measuresOf(requests, recorder.decisions, recorder.loadMs),
    failures: check(expected, root, evidence),
  };
}

/** As when the service starts: pinned models, and those that the scenario names, in the order of the file. */
function preloadOf(scenario: Scenario, specs: ModelSpecs): NonNullable<ReturnType<ModelSpecs['specOf']>>[] {
  const pinned = Object.entries(scenario.models).flatMap(([name, { pin }]) => (pin ? [name] : []));
  const names = [...new Set([...scenario.preload.map((name) => specs.nameOf(name)), ...pinned])];
  return names.flatMap((name) => specs.specOf(name) ?? []);
}

type Need = Pick<Scenario['models'][string], 'needs' | 'really'>;

/** Whether needs are true and memory comes back, so that no more can be in use than there is. */
const isHonest = ({ models, timeline }: Scenario): boolean =>
  [models, ...timeline.map(({ reload }) => reload?.models ?? {})].every((some) =>
    Object.values<Need>(some).every(({ needs, really = needs }) => really <= needs),
  ) &&
  !timeline.some(({ fault }) =>
    (['memoryBack', 'otherProgram', 'grows'] as const).some((key) => fault?.[key] !== undefined),
  );

interface Stage {
  readonly world: World;
  readonly ledger: () => LedgerReader;
  readonly recorder: Recorder;
  readonly director: Director;
  readonly told: Told | null;
}

/** Lets virtual time pass to the end, and looks around at the moments that somebody has expectations of. */
function run(scenario: Scenario, moments: readonly { readonly at: number }[], stage: Stage): Sight[] {
  const { recorder, world } = stage;
  const sights = new Map<number, Sight>();
  for (const at of [...new Set(moments.map((moment) => moment.at))].toSorted((a, b) => a - b)) {
    advanceTo(at, stage);
    sights.set(at, recorder.sight());
  }
  if (scenario.until !== undefined) advanceTo(Math.max(scenario.until, world.clock.now()), stage);
  else settle(Math.max(0, ...scenario.timeline.map(lastOf)) + LONGEST_ENDING_MS, stage);
  return moments.flatMap(({ at }) => sights.get(at) ?? []);
}

/** When the last request of a step comes, as far as the script says. */
const lastOf = ({ at, times = 1, every = 0, until = 0 }: Scenario['timeline'][number]): number =>
  Math.max(at + (times - 1) * every, until);

function advanceTo(untilMs: number, stage: Stage): void {
  const { world } = stage;
  while (world.clock.step(untilMs)) look(stage);
  world.clock.advanceTo(untilMs);
}

function settle(limitMs: number, stage: Stage): void {
  while (!isQuiet(stage) && stage.world.clock.step(limitMs)) look(stage);
}

function look({ recorder, told }: Stage): void {
  recorder.look();
  told?.look();
}

/** Nobody is to do anything, nobody waits, and no runner is on its way anywhere. */
function isQuiet({ director, ledger: ask, world }: Stage): boolean {
  const ledger = ask();
  if (!director.isDone || ledger.waitingCount > 0 || world.processes.size > ledger.runners.size) return false;
  for (const runner of ledger.runners.values())
    if (runner.state === 'loading' || isReturning(runner)) return false;
  return true;
}
