import type { PolicyName } from '../../../machines/planning/view.ts';
import type { SchedulerSettings } from '../../../machines/scheduler/contract.ts';
import { World, type WorldDevice, type WorldModel } from '../world.ts';
import { given } from './given.ts';
import type { Scenario, ScenarioDevice, ScenarioModel } from './schema.ts';
import type { Reload } from './step-schema.ts';

/** How long a discrete GPU takes to show memory as free, after a process has gone; seen: 0.5–1.5 s. */
const MEMORY_BACK_MS = 1_000;

/** The modelled devices and processes of a scenario. */
export function worldOf(scenario: Scenario): World {
  const world = new World();
  for (const [id, device] of Object.entries(scenario.devices)) world.devices.set(id, deviceOf(id, device));
  for (const [name, model] of Object.entries(scenario.models)) world.models.set(name, behaviourOf(model));
  return world;
}

function deviceOf(id: string, device: ScenarioDevice): WorldDevice {
  const kind = device.kind ?? (id === 'CPU' ? 'cpu' : 'discrete');
  return {
    reading: {
      id,
      name: `Simulated ${id}`,
      library: device.library ?? (kind === 'cpu' ? 'CPU' : 'CUDA'),
      kind,
      ...(device.sharesMainMemory && { sharesMainMemory: true }),
      totalBytes: device.memory,
    },
    othersBytes: device.memory - (device.free ?? device.memory),
    recoveryMs: device.memoryBack ?? (kind === 'discrete' ? MEMORY_BACK_MS : 0),
    fault: 'none',
  };
}

/** How a model's processes behave. */
export const behaviourOf = (model: ScenarioModel): WorldModel => ({
  loadMs: model.loads,
  exitMs: model.exits,
  realBytes: model.really ?? null,
  fault: null,
  ...(model.saves !== undefined && { saveMs: model.saves, restoreMs: model.restores }),
  ...(model.showsLifeEvery !== undefined && { signOfLifeMs: model.showsLifeEvery }),
});

/** A scenario's settings as the scheduler takes them. */
export const settingsOf = ({ settings, devices }: Scenario, policy: PolicyName): SchedulerSettings => ({
  plan: {
    policy,
    gamma: settings.gamma,
    starvationMs: settings.starvation,
    drainMs: settings.drain,
    maxRunners: settings.runners ?? null,
    abandonedLoads: settings.abandonedLoads,
    eviction: settings.eviction,
    gpuOverheadBytes: settings.gpuOverhead,
  },
  runner: {
    loadStallMs: settings.loadStall,
    loadTotalMs: settings.load,
    terminateGraceMs: settings.terminateGrace,
    killAlarmMs: settings.killAlarm,
    conversationsMs: settings.conversations,
    probeDeadlineMs: settings.probeDeadline,
    recoveryPollMs: settings.recoveryPoll,
    recoveryLimitMs: settings.recoveryLimit,
  },
  keepAliveMode: settings.keepAliveMode,
  maxQueue: settings.queue,
  probeIntervalMs: settings.probeEvery,
  readsAhead: true,
  deviceLimits: Object.fromEntries(
    Object.entries(devices).flatMap(([id, { limit }]) => (limit === undefined ? [] : [[id, limit]])),
  ),
});

/** The same scenario from a new configuration on, as far as settings go. */
export const reloaded = (scenario: Scenario, { settings, limits }: Reload): Scenario => ({
  ...scenario,
  settings: { ...scenario.settings, ...given(settings) },
  devices: limits ? Object.fromEntries(limited(scenario.devices, limits)) : scenario.devices,
});

const limited = (
  devices: Scenario['devices'],
  limits: Readonly<Record<string, number>>,
): [string, ScenarioDevice][] =>
  Object.entries(devices).map(([id, { limit: _before, ...device }]) => {
    const limit = limits[id];
    return [id, { ...device, ...(limit !== undefined && { limit }) }];
  });
