import type { PolicyName } from '../../machines/planning/view.ts';
import type { ModelSpec } from '../../machines/vocabulary.ts';
import { createScheduler } from '../../src/compose.ts';
import { simulatedEffects } from '../../src/simulation/effects.ts';
import { settingsOf } from '../../src/simulation/scenario/stage.ts';
import { scenarioOf } from '../../src/simulation/simulate.ts';
import { World } from '../../src/simulation/world.ts';
import type { Race, RaceClient, RaceModel, RaceResult } from './race.ts';
import { Random } from './random.ts';

const GB = 1e9;
const DEVICE = 'G0';
const KEEP_ALIVE_MS = 300_000;

/** Plays a race through the real statecharts in virtual time. `gamma` is that of the settings; 0 means that nobody is ever spared. */
export function play(race: Race, policy: PolicyName, gamma?: number): RaceResult {
  const world = worldOf(race);
  const { clock } = world;
  const specs = new Map(race.models.map((model, rank) => [model.name, specOf(model, rank, race)]));
  const scenario = scenarioOf({
    models: {},
    timeline: [],
    settings: { ...(gamma !== undefined && { gamma }) },
  });
  const settings = { ...settingsOf(scenario, policy), maxQueue: Infinity, probeIntervalMs: 60_000 };
  const { scheduler, doors } = createScheduler(simulatedEffects(world), {
    clock,
    tellWithinMs: 0,
    input: { settings, now: clock.now, preload: [] },
  });
  const endMs = race.seconds * 1000;
  const asked: Asked[] = [];
  let loads = 0;
  let answered = 0;
  scheduler.on('decision', ({ record }) => void (record.kind === 'load' && loads++));
  doors.on('granted', ({ leaseId }) => {
    const request = asked[Number(leaseId)];
    if (!request) return;
    request.waitMs = clock.now() - request.atMs;
    clock.setTimeout(() => {
      doors.release(leaseId);
      if (clock.now() <= endMs) answered++;
      request.goOn();
    }, request.serviceMs);
  });
  scheduler.start();
  const ask = (model: string, serviceMs: number, goOn: () => void): void => {
    const spec = specs.get(model);
    if (!spec || clock.now() >= endMs) return;
    const leaseId = String(asked.length);
    asked.push({ atMs: clock.now(), serviceMs, goOn, waitMs: null });
    const common = { priority: 'normal', keepAlive: null, waitLimitMs: Infinity, isRetry: false } as const;
    doors.request({ leaseId, spec, ...common });
  };
  race.clients.forEach((client, i) => setOff(client, new Random(race.seed * 1000 + i), clock, ask));
  while (clock.now() < endMs && clock.step(endMs));
  scheduler.stop();
  return resultOf(asked, endMs, { answered, loads });
}

interface Asked {
  readonly atMs: number;
  readonly serviceMs: number;
  readonly goOn: () => void;
  waitMs: number | null;
}

/** A client's life: it asks, and once it is served it thinks and asks again. */
function setOff(
  client: RaceClient,
  random: Random,
  clock: World['clock'],
  ask: (model: string, serviceMs: number, goOn: () => void) => void,
): void {
  const { thinkMs, serviceMs, burst } = client;
  const models = typeof client.model === 'string' ? [client.model] : client.model;
  let count = 0;
  let left = 0;
  const pauseMs = (): number => {
    if (client.fixed && !burst && models.length > 1) return thinkMs;
    if (!burst) return random.exponential(thinkMs);
    if (left-- > 0) return random.exponential(burst.gapMs);
    left = Math.floor(random.exponential(burst.count));
    return random.exponential(thinkMs);
  };
  const next = (): void => {
    const runMs = client.fixed ? serviceMs : serviceMs * (0.25 + random.exponential(0.75));
    ask(models[count++ % models.length] ?? '', runMs, () => void clock.setTimeout(next, pauseMs()));
  };
  clock.setTimeout(next, client.startMs ?? random.exponential(thinkMs));
}

function worldOf(race: Race): World {
  const world = new World();
  const { kind = 'discrete', recoveryMs } = race;
  const library = kind === 'cpu' ? 'CPU' : 'CUDA';
  const reading = { id: DEVICE, name: DEVICE, library, kind, totalBytes: race.memory * GB };
  world.devices.set(DEVICE, { reading, othersBytes: 0, recoveryMs, fault: 'none' });
  for (const { name, loadMs } of race.models)
    world.models.set(name, { loadMs, exitMs: race.exitMs, realBytes: null, fault: null });
  return world;
}

const specOf = (model: RaceModel, rank: number, race: Race): ModelSpec => ({
  name: model.name,
  classKey: model.name,
  launch: {
    runtime: 'llama-server',
    modelPath: model.name,
    adapterPaths: [],
    contextTokens: 4096,
    slots: model.slots,
    embedding: false,
    extraArgs: [],
  },
  needBytes: model.size * GB,
  needSource: 'configured',
  keepAlive: race.keepAliveMs ?? KEEP_ALIVE_MS,
  pinned: false,
  devices: null,
  placement: race.kind === 'cpu' ? 'cpu-only' : 'gpu-only',
  loadEstimateMs: model.estimateMs ?? model.loadMs,
  maxQueue: Infinity,
  rank,
});

/** Who still waits at the end has waited until then. */
function resultOf(
  asked: readonly Asked[],
  endMs: number,
  counts: Pick<RaceResult, 'answered' | 'loads'>,
): RaceResult {
  const waits = asked.map(({ atMs, waitMs }) => (waitMs ?? endMs - atMs) / 1000);
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return {
    ...counts,
    meanWait: waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length),
    p95Wait: at(0.95),
    p99Wait: at(0.99),
    maxWait: at(1),
    waits,
  };
}
