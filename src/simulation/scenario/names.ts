import type { Expectations } from './expectation-schema.ts';
import type { Scenario } from './schema.ts';
import type { Fault, Step } from './step-schema.ts';

/** A name that a scenario uses, where, and the names that it could be. */
export interface NameUse {
  readonly path: readonly PropertyKey[];
  readonly noun: 'model' | 'device' | 'request';
  readonly name: string;
  readonly known: readonly string[];
}

/** The name of a step's request: its own, or by its place in the file. */
export const requestName = (step: Step, index: number): string => step.as ?? `r${index + 1}`;

/** The ids that a step's requests get: several for `times`, one per client and try otherwise not known before. */
export function requestIds(step: Step, index: number): string[] {
  const name = requestName(step, index);
  return step.times === undefined ? [name] : Array.from({ length: step.times }, (_, i) => `${name}.${i + 1}`);
}

/** Every name that a scenario uses: a name that does not exist must not make an expectation come true. */
export function namesIn(scenario: Scenario): NameUse[] {
  const later = scenario.timeline.flatMap(({ reload }) => Object.entries(reload?.models ?? {}));
  const models = [...Object.entries(scenario.models), ...later].flatMap(([name, { aliases }]) => [
    name,
    ...aliases,
  ]);
  const devices = Object.keys(scenario.devices);
  const requests = requestsOf(scenario.timeline);
  const use = (noun: NameUse['noun'], path: readonly PropertyKey[], name: string | undefined): NameUse[] => {
    // Names with a number behind come and go with clients and retries.
    if (name === undefined || (noun === 'request' && /\.\d+$/.test(name))) return [];
    return [{ noun, path, name, known: { model: models, device: devices, request: requests }[noun] }];
  };
  return [
    ...scenario.preload.flatMap((name, i) => use('model', ['preload', i], name)),
    ...scenario.timeline.flatMap((step, i) => stepNames(step, ['timeline', i], use)),
    ...(scenario.expect ? expectedNames(scenario.expect, 'expect', use) : []),
    ...(scenario.ollama ? expectedNames(scenario.ollama, 'ollama', use) : []),
    ...(scenario.fifo ? expectedNames(scenario.fifo, 'fifo', use) : []),
  ];
}

function requestsOf(timeline: readonly Step[]): string[] {
  let count = 0;
  return timeline.flatMap((step) => {
    if (step.request === undefined) return [];
    const index = count++;
    return [requestName(step, index), ...requestIds(step, index)];
  });
}

/** Steps whose request has the name of an earlier one's. */
export function namesTwice({ timeline }: Scenario): { path: readonly PropertyKey[]; name: string }[] {
  return timeline.flatMap(({ as: name }, i) =>
    name !== undefined && timeline.findIndex((step) => step.as === name) < i
      ? [{ path: ['timeline', i, 'as'], name }]
      : [],
  );
}

type Use = (noun: NameUse['noun'], path: readonly PropertyKey[], name: string | undefined) => NameUse[];

const FAULTS_OF_MODELS = [
  ...([
    'crash',
    'runsOutOfMemory',
    'stopsAnswering',
    'loadFails',
    'neverReady',
    'goesSilent',
    'grows',
  ] as const),
  ...(['ignoresTerminate', 'ignoresKill', 'fileDisappears', 'heals'] as const),
] satisfies readonly (keyof Fault)[];
const FAULTS_OF_DEVICES = [
  'memoryBack',
  'otherProgram',
  'device',
] as const satisfies readonly (keyof Fault)[];
const STEPS_OF_MODELS = [
  'request',
  'load',
  'stop',
  'keep',
  'change',
] as const satisfies readonly (keyof Step)[];

function stepNames(step: Step, path: readonly PropertyKey[], use: Use): NameUse[] {
  return [
    ...STEPS_OF_MODELS.flatMap((key) => use('model', [...path, key], step[key])),
    ...(['removed', 'preload'] as const).flatMap((key) =>
      (step.reload?.[key] ?? []).flatMap((name, i) => use('model', [...path, 'reload', key, i], name)),
    ),
    ...Object.keys(step.reload?.limits ?? {}).flatMap((name) =>
      use('device', [...path, 'reload', 'limits', name], name),
    ),
    ...(['cancel', 'end'] as const).flatMap((key) => use('request', [...path, key], step[key])),
    ...(['pause', 'resume'] as const).flatMap((key) => use('device', [...path, key], step[key])),
    ...FAULTS_OF_MODELS.flatMap((key) => use('model', [...path, 'fault', key], step.fault?.[key])),
    ...FAULTS_OF_DEVICES.flatMap((key) => use('device', [...path, 'fault', key], step.fault?.[key])),
  ];
}

function expectedNames(expected: Expectations, root: string, use: Use): NameUse[] {
  const keysOf = (value: unknown): string[] =>
    typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const moments = (expected.moments ?? []).map((moment, i) => ({ moment, path: [root, 'moments', i] }));
  const end = expected.end ? [{ moment: expected.end, path: [root, 'end'] }] : [];
  return [
    ...keysOf(expected.requests).flatMap((name) => use('request', [root, 'requests', name], name)),
    ...(expected.order ?? []).flatMap((name, i) => use('request', [root, 'order', i], name)),
    ...(expected.evicted ?? []).flatMap((name, i) => use('model', [root, 'evicted', i], name)),
    ...(['loads', 'evictions'] as const).flatMap((key) =>
      keysOf(expected[key]).flatMap((name) => use('model', [root, key, name], name)),
    ),
    ...(expected.never ?? []).flatMap((one, i) => [
      ...(['evicted', 'loaded', 'runners'] as const).flatMap((key) =>
        use('model', [root, 'never', i, key], one[key]),
      ),
      ...(['reserved', 'held'] as const).flatMap((key) => use('device', [root, 'never', i, key], one[key])),
    ]),
    ...[...moments, ...end].flatMap(({ moment, path }) => [
      ...(moment.loaded ?? []).flatMap((name, i) => use('model', [...path, 'loaded', i], name)),
      ...keysOf(moment.states).flatMap((name) => use('model', [...path, 'states', name], name)),
      ...keysOf(moment.reserved).flatMap((name) => use('device', [...path, 'reserved', name], name)),
      ...keysOf(moment.held).flatMap((name) => use('device', [...path, 'held', name], name)),
      ...keysOf(moment.why).flatMap((name) => use('request', [...path, 'why', name], name)),
    ]),
  ];
}
