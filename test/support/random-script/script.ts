import fc from 'fast-check';
import { policyNames } from '../../../machines/planning/view.ts';

/** Models of a script; its steps name them by number. */
export const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

const model = fc.nat(NAMES.length - 1);
/** Tenths of a GiB are no whole number of bytes. */
const gib = (least: number, most: number): fc.Arbitrary<number> =>
  fc.integer({ min: least * 10, max: most * 10 }).map((tenths) => tenths / 10);
/** In ms; null: for ever. */
const keepAliveMs = fc.option(fc.nat(60_000), { freq: 4 });
/** In ms; null: as long as it takes. */
const waitLimitMs = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.nat(600_000) },
  { weight: 2, arbitrary: fc.nat(60_000) },
  { weight: 1, arbitrary: fc.nat(2_000) },
);
const maxRunners = fc.option(fc.integer({ min: 1, max: 4 }), { freq: 1 });
const keepAliveMode = fc.constantFrom('strict', 'soft');

const request = fc.record({
  kind: fc.constant('request' as const),
  model,
  runMs: fc.nat(20_000),
  keepAliveMs: fc.option(keepAliveMs, { nil: 'the model’s own' as const }),
  waitLimitMs,
  priority: fc.constantFrom('interactive', 'normal', 'batch'),
  /** What it asks for beside what the model is configured with. */
  contextTokens: fc.option(fc.constantFrom(1024, 8192), { freq: 5 }),
});

const wait = fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(15_000) });

const client = fc.oneof(
  fc.record({ kind: fc.constant('cancel' as const), index: fc.nat(60) }),
  fc.record({ kind: fc.constant('cancel' as const), index: fc.nat(60) }),
  fc.record({ kind: fc.constant('load' as const), model }),
  fc.record({
    kind: fc.constant('keep' as const),
    model,
    keepAliveMs,
    pinned: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('stop' as const), model, drainMs: fc.nat(5_000) }),
  /** A device is wanted for something else, and given back. */
  fc.record({
    kind: fc.constant('pause' as const),
    index: fc.nat(3),
    refuse: fc.boolean(),
    drainMs: fc.nat(20_000),
  }),
  fc.record({ kind: fc.constant('resume' as const), index: fc.nat(3) }),
  fc.record({ kind: fc.constant('stopRunner' as const), index: fc.nat(4), drainMs: fc.nat(5_000) }),
);

const fault = fc.oneof(
  fc.record({ kind: fc.constant('crash' as const), index: fc.nat(4) }),
  fc.record({ kind: fc.constant('silence' as const), index: fc.nat(4) }),
  fc.record({
    kind: fc.constant('loadFails' as const),
    model,
    code: fc.constantFrom('load_failed', 'load_out_of_memory'),
    afterMs: fc.nat(5_000),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant('ignoresKill' as const), model, forMs: fc.nat(30_000) }),
  fc.record({ kind: fc.constant('probe' as const), fault: fc.constantFrom('none', 'fails', 'hangs') }),
  fc.record({
    kind: fc.constant('device' as const),
    index: fc.nat(3),
    fault: fc.constantFrom('none', 'unknown', 'gone', 'stale'),
  }),
  fc.record({ kind: fc.constant('others' as const), index: fc.nat(3), gib: gib(0, 24) }),
  /** The time is another one: a little earlier, or later as after a suspension. */
  fc.record({ kind: fc.constant('jump' as const), ms: fc.integer({ min: -5_000, max: 100_000 }) }),
);

const reload = fc.oneof(
  fc.record({
    kind: fc.constant('reload' as const),
    model,
    becomes: fc.constantFrom('another', 'kept', 'gone'),
    gib: gib(1, 40),
    isPreloaded: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('settings' as const),
    limitGib: fc.option(gib(4, 48)),
    maxRunners,
    keepAliveMode,
  }),
);

const anyStep = fc.oneof(
  { weight: 8, arbitrary: request },
  { weight: 5, arbitrary: wait },
  { weight: 3, arbitrary: client },
  { weight: 3, arbitrary: fault },
  { weight: 1, arbitrary: reload },
);

const conversationMs = fc.oneof(fc.nat(8_000), fc.constantFrom('hangs' as const, 'fails' as const));

const shape = fc.record({
  gib: gib(1, 40),
  /** What it really holds, as a share of that; null: its need is configured, and true. */
  reallyShare: fc.option(fc.constantFrom(0.5, 0.9, 1, 1.1, 1.4)),
  slots: fc.integer({ min: 1, max: 3 }),
  replicas: fc.integer({ min: 1, max: 3 }),
  layers: fc.option(fc.integer({ min: 1, max: 80 })),
  canShrink: fc.boolean(),
  spread: fc.boolean(),
  /** The only devices that it may use, by number and in order; null: any. */
  devices: fc.option(fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }), { freq: 2 }),
  placement: fc.constantFrom('gpu-or-cpu', 'gpu-or-cpu', 'gpu-only', 'cpu-if-full', 'cpu-only'),
  pinned: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  comesBack: fc.boolean(),
  keepAliveMs,
  keepAliveLimitMs: fc.option(fc.nat(30_000), { freq: 1 }),
  waitLimitMs: fc.option(fc.nat(300_000), { freq: 1 }),
  loadMs: fc.nat(20_000),
  /** How its conversations are kept and brought back; null: they are not. */
  conversations: fc.option(fc.record({ save: conversationMs, restore: conversationMs }), { freq: 2 }),
});

/** A random pool, and what happens to it. */
export const script = fc.record({
  gpus: fc.array(
    fc.record({
      gib: fc.integer({ min: 12, max: 48 }),
      library: fc.constantFrom('CUDA', 'CUDA', 'CUDA', 'Vulkan'),
      isIntegrated: fc.boolean(),
      /** What it holds is main memory, where there is any. */
      sharesMainMemory: fc.oneof(
        { weight: 3, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  mainMemoryGib: fc.option(fc.integer({ min: 8, max: 64 })),
  models: fc.array(shape, { minLength: NAMES.length, maxLength: NAMES.length }),
  /** Loads and answers take so many times what is said of them. */
  pace: fc.constantFrom(1, 1, 0.1),
  recoveryMs: fc.nat(8_000),
  probeSeconds: fc.constantFrom(300, 300, 60),
  overheadGib: fc.constantFrom(0, 0, 0.5),
  maxRunners,
  keepAliveMode,
  abandonedLoads: fc.constantFrom('keep', 'abort'),
  eviction: fc.constantFrom('automatic', 'automatic', 'automatic', 'manual'),
  gamma: fc.constantFrom(0, 0.4, 3),
  /** null: never. */
  starvationMs: fc.constantFrom(60_000, null),
  policy: fc.constantFrom('default', ...policyNames),
  /** What becomes of timers. */
  timers: fc.constantFrom('steady', 'steady', 'fractions dropped', '5 % early', '40 ms late'),
  /** How late the scheduler is told of requests that found a free slot. */
  tellWithinMs: fc.constantFrom(0, 50, 50),
  steps: fc.array(anyStep, { maxLength: 60 }),
});

type Of<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

/** Plain data: what is printed can be played again. */
export type Script = Of<typeof script>;
export type Step = Script['steps'][number];
export type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;
export type ModelShape = Of<typeof shape>;
