import type { DeviceView } from '../../machines/planning/view.ts';
import type { ConfigChange, SchedulerSettings } from '../../machines/scheduler/contract.ts';
import type { KeepAlive, ModelSpec } from '../../machines/vocabulary.ts';
import type { ScenarioInput } from '../simulation/scenario/schema.ts';
import type { RecordedCommand, RecordedRequest, RecordedRunner, Recording } from './recording.ts';

type Step = ScenarioInput['timeline'][number];

/** Decisions that a person, or the modelled world, does not take in the very same way. */
const NOT_COMPARED = new Set(['unrecovered', 'stuck', 'outgrown']);

/**
 * A live session as a scenario: the same devices, models and settings, each request when it came and for as long as it ran, and each
 * load, unload and failure just as it went. What was decided then is what is expected.
 */
export function toScenario(recording: Recording): ScenarioInput {
  const { devices, specs, requests, runners, commands, settings, decisions, preload, demand } = recording;
  const steps = [
    ...runners.flatMap((runner, i) => stepsOfRunner(runner, previousOf(runner, runners.slice(0, i)))),
    ...commands.flatMap((command, i) => stepsOfCommand(command, commands.slice(0, i), recording)),
    ...requests.flatMap(stepsOfRequest),
  ];
  return {
    about: recording.isCut
      ? 'The beginning of a recorded session: more was asked than a recording keeps.'
      : 'A recorded session.',
    devices: Object.fromEntries(devices.map((device) => [device.id, deviceOf(device)])),
    models: Object.fromEntries([...specs].map(([name, spec]) => [name, modelOf(spec)])),
    settings: settingsOf(settings),
    ...(preload.length > 0 && { preload: [...preload] }),
    ...(Object.keys(demand).length > 0 && { demand: { ...demand } }),
    timeline: steps.toSorted((a, b) => a.atMs - b.atMs).map(({ step }) => step),
    expect: {
      decisions: decisions
        .filter(({ kind }) => !NOT_COMPARED.has(kind))
        .map(({ kind, model }) => `${kind} ${model}`),
    },
  };
}

type Settings = NonNullable<ScenarioInput['settings']>;

const settingsOf = ({ plan, runner, maxQueue, keepAliveMode }: SchedulerSettings): Settings => ({
  policy: plan.policy,
  gamma: plan.gamma,
  starvation: time(plan.starvationMs),
  drain: time(plan.drainMs),
  ...(plan.maxRunners !== null && { runners: plan.maxRunners }),
  abandonedLoads: plan.abandonedLoads,
  eviction: plan.eviction,
  queue: maxQueue,
  keepAliveMode,
  terminateGrace: time(runner.terminateGraceMs),
  recoveryPoll: time(runner.recoveryPollMs),
  recoveryLimit: time(runner.recoveryLimitMs),
});

interface Timed {
  readonly atMs: number;
  readonly step: Step;
}

const at = (atMs: number, step: Omit<Step, 'at'>): Timed => ({ atMs, step: { at: time(atMs), ...step } });

/** To the microsecond: order matters more than roundness. */
const time = (ms: number): string => (ms === Infinity ? 'forever' : `${Number(ms.toFixed(3))}ms`);

const keepAlive = (value: KeepAlive): string => (value === 'forever' ? 'forever' : time(value));

const deviceOf = (device: DeviceView): NonNullable<ScenarioInput['devices']>[string] => ({
  memory: device.totalBytes,
  ...(device.othersBytes > 0 && { free: device.totalBytes - device.othersBytes }),
  ...(device.limitBytes < device.totalBytes && { limit: device.limitBytes }),
  kind: device.kind,
  ...(device.sharesMainMemory && { sharesMainMemory: true }),
  library: device.library,
});

const modelOf = (spec: ModelSpec): ScenarioInput['models'][string] => ({
  needs: spec.needBytes,
  estimate: time(spec.loadEstimateMs),
  slots: spec.launch.slots,
  context: spec.launch.contextTokens,
  keepAlive: keepAlive(spec.keepAlive),
  ...(spec.pinned && { pin: true }),
  ...(spec.devices && { devices: [...spec.devices] }),
  // Its needs are told as they are, with the experts aside.
  placement: spec.placement === 'experts-on-cpu' ? 'gpu-or-cpu' : spec.placement,
  ...(spec.spread !== undefined && { spread: spec.spread }),
  ...(spec.replicas !== undefined && { replicas: spec.replicas }),
  ...(spec.launch.layers !== undefined && { layers: spec.launch.layers }),
  ...(spec.waitLimitMs !== undefined && { wait: time(spec.waitLimitMs) }),
  ...(spec.keepAliveLimit !== undefined && { keepAliveLimit: keepAlive(spec.keepAliveLimit) }),
  ...(spec.contexts && {
    contexts: spec.contexts.map(({ contextTokens, needBytes }) => ({
      tokens: contextTokens,
      needs: needBytes,
    })),
  }),
});

const previousOf = (runner: RecordedRunner, earlier: readonly RecordedRunner[]): RecordedRunner | undefined =>
  earlier.findLast((other) => other.model === runner.model);

/** How its processes behave is set as soon as the last one has behaved in its own way. */
function stepsOfRunner(runner: RecordedRunner, previous: RecordedRunner | undefined): Timed[] {
  const { model, startedAtMs, readyAtMs, unloadingAtMs, exitedAtMs, goneAtMs, failure, measuredBytes } =
    runner;
  const loadFrom = previous?.readyAtMs ?? previous?.goneAtMs ?? 0;
  const exitFrom = previous?.exitedAtMs ?? previous?.goneAtMs ?? 0;
  const exited = exitedAtMs ?? goneAtMs;
  const steps: Timed[] = [];
  if (readyAtMs !== null) {
    const to = {
      loads: time(readyAtMs - startedAtMs),
      ...(measuredBytes !== null && { really: measuredBytes }),
    };
    steps.push(at(loadFrom, { change: model, to }));
  } else if (failure !== null && exited !== null && failure !== 'stopped' && failure !== 'shutting_down')
    steps.push(
      at(loadFrom, {
        fault: { loadFails: model, after: time(exited - startedAtMs), code: failure, times: 1 },
      }),
    );
  if (unloadingAtMs !== null && exited !== null)
    steps.push(at(exitFrom, { change: model, to: { exits: time(exited - unloadingAtMs) } }));
  // Ended by itself while it served.
  else if (readyAtMs !== null && exited !== null)
    steps.push(at(exited, { fault: { crash: model, exitCode: 1 } }));
  return steps;
}

function stepsOfRequest(recorded: RecordedRequest): Timed[] {
  const { id, spec, atMs, request: asked, grantedAtMs, endedAtMs, isCancelled } = recorded;
  const runs =
    grantedAtMs !== null && endedAtMs !== null && !isCancelled ? { for: time(endedAtMs - grantedAtMs) } : {};
  const step = at(atMs, {
    request: spec.name,
    as: id,
    ...runs,
    ...(asked.priority !== 'normal' && { priority: asked.priority }),
    ...(asked.keepAlive !== null && { keepAlive: keepAlive(asked.keepAlive) }),
    ...(asked.waitLimitMs !== Infinity && { wait: time(asked.waitLimitMs) }),
  });
  return isCancelled && endedAtMs !== null ? [step, at(endedAtMs, { cancel: id })] : [step];
}

function stepsOfCommand(
  { atMs, command }: RecordedCommand,
  earlier: readonly RecordedCommand[],
  recording: Recording,
): Timed[] {
  switch (command.type) {
    case 'config.changed':
      return [at(atMs, { reload: reloadOf(command.change, earlier, recording) })];
    case 'model.load':
      return [at(atMs, { load: command.spec.name })];
    case 'model.unload':
      return [at(atMs, { stop: command.model, drain: time(command.drainMs) })];
    case 'model.keep':
      return [
        at(atMs, { keep: command.model, keepAlive: keepAlive(command.keepAlive), pin: command.pinned }),
      ];
    case 'devices.pause':
      return command.deviceIds.map((id) =>
        at(atMs, { pause: id, drain: time(command.drainMs), ...(command.refuse && { refuse: true }) }),
      );
    case 'devices.resume':
      return command.deviceIds.map((id) => at(atMs, { resume: id }));
    case 'scheduler.drain':
      return [at(atMs, { shutdown: true, drain: time(command.drainMs) })];
    case 'scheduler.hurry':
      return [at(atMs, { hurry: true })];
    // A scenario knows models, not their runners one by one.
    case 'runner.stop':
      return [];
  }
}

/** Only what differs from before is written down; a model that is another class now counts as another file. */
function reloadOf(
  { settings, changed, removed, preload }: ConfigChange,
  earlier: readonly RecordedCommand[],
  recording: Recording,
): NonNullable<Step['reload']> {
  const last = earlier.flatMap(({ command }) => (command.type === 'config.changed' ? command.change : []));
  const before = last.at(-1)?.settings ?? recording.settings;
  const isOther = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);
  const known = Object.entries(settingsOf(before));
  const differing = Object.entries(settingsOf(settings)).filter(
    ([key, value]) => !known.some(([other, was]) => key === other && value === was),
  );
  const models = changed.map((spec) => {
    const isSameClass = recording.specs.get(spec.name)?.classKey === spec.classKey;
    return [spec.name, { ...modelOf(spec), ...(!isSameClass && { file: spec.classKey }) }];
  });
  return {
    ...(models.length > 0 && { models: Object.fromEntries(models) as ScenarioInput['models'] }),
    ...(removed.length > 0 && { removed: [...removed] }),
    ...(differing.length > 0 && { settings: Object.fromEntries(differing) as Settings }),
    ...(isOther(before.deviceLimits, settings.deviceLimits) && { limits: { ...settings.deviceLimits } }),
    ...(preload.length > 0 && { preload: preload.map(({ name }) => name) }),
  };
}
