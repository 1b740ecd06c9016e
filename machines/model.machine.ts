import { assign, setup } from 'xstate';
import { afterFailure, noFailures } from './planning/load-failures.ts';
import type { ModelContext, ModelEvent, Presence } from './model/contract.ts';
import type { Failure } from './failures.ts';
import type { ModelSpec } from './vocabulary.ts';

interface Left {
  readonly left: Presence;
}

const modelSetup = setup({
  types: {
    context: {} as ModelContext,
    events: {} as ModelEvent,
    input: {} as { readonly name: string },
  },
  actions: {
    countFailure: assign({
      failures: ({ context }, { failure, atMs }: { failure: Failure; atMs: number }) =>
        afterFailure(context.failures, failure, atMs),
    }),
    forgetFailures: assign({ failures: noFailures }),
    putFailuresBehind: assign({ failures: ({ context }) => ({ ...context.failures, isPast: true }) }),
    addAlone: assign({
      alone: ({ context }, { classKey }: { classKey: string }) => [...context.alone, classKey],
    }),
    removeAlone: assign({
      alone: ({ context }, { classKey }: { classKey: string }) =>
        context.alone.filter((other) => other !== classKey),
    }),
    rememberPin: assign({ pinnedAs: (_, { spec }: { spec: ModelSpec }) => spec }),
    rememberDisplaced: assign({ displacedAs: (_, { spec }: { spec: ModelSpec }) => spec }),
    forgetDisplaced: assign({ displacedAs: null }),
    forgetPin: assign({ pinnedAs: null }),
  },
  guards: {
    othersServe: (_, { left }: Left) => left === 'serving',
    othersStart: (_, { left }: Left) => left === 'starting',
    othersLeave: (_, { left }: Left) => left === 'leaving',
    needsPause: ({ context }, { failure, atMs }: { failure: Failure; atMs: number }) =>
      afterFailure(context.failures, failure, atMs).retryAtMs > atMs,
    isLast: (_, { isLast }: { isLast: boolean }) => isLast,
  },
});

const left = ({ event }: { event: Left }): Left => ({ left: event.left });

/** Where its other processes leave a model when one of them goes. */
const whatIsLeft = [
  { guard: { type: 'othersServe' as const, params: left }, target: '.serving' as const },
  { guard: { type: 'othersStart' as const, params: left }, target: '.starting' as const },
  { guard: { type: 'othersLeave' as const, params: left }, target: '.leaving' as const },
  { target: '.none' as const },
];

const failed = {
  type: 'countFailure' as const,
  params: ({ event }: { event: { readonly failure: Failure; readonly atMs: number } }) => event,
};

/**
 * One model, whatever its processes: its active states tell why it is not there. The scheduler plays it within its own transitions, on the
 * rows that it keeps (`stepModel`), so that a plan never sees a model that has not heard yet what has just happened. It has no timers:
 * the scheduler's plans know when a pause is over.
 */
export const modelMachine = modelSetup.createMachine({
  id: 'model',
  context: ({ input }) => ({
    name: input.name,
    failures: noFailures,
    alone: [],
    pinnedAs: null,
    displacedAs: null,
  }),
  type: 'parallel',
  states: {
    requests: {
      initial: 'none',
      states: {
        none: { on: { 'requests.waiting': 'waiting' } },
        waiting: { on: { 'requests.none': 'none', 'memory.claimed': 'claiming' } },
        /** Others have been told to give back the memory that it starts in. */
        claiming: { on: { 'requests.none': 'none', 'memory.unclaimed': 'waiting' } },
      },
    },
    process: {
      initial: 'none',
      on: { 'process.leaving': whatIsLeft, 'process.gone': whatIsLeft },
      states: {
        none: { on: { 'process.starting': 'starting' } },
        starting: { on: { 'process.loaded': { target: 'serving', actions: 'putFailuresBehind' } } },
        serving: {},
        leaving: { on: { 'process.starting': 'starting' } },
      },
    },
    loads: {
      initial: 'allowed',
      states: {
        allowed: {
          on: {
            'load.failed': [
              {
                guard: { type: 'needsPause', params: ({ event }) => event },
                target: 'backing-off',
                actions: failed,
              },
              { actions: failed },
            ],
            'request.served': { actions: 'forgetFailures' },
            'model.redefined': { actions: 'forgetFailures' },
          },
        },
        /** It failed several times in a row: no load of it before the pause is over. */
        'backing-off': {
          on: {
            'load.failed': { actions: failed },
            'retry.due': 'allowed',
            'request.served': { target: 'allowed', actions: 'forgetFailures' },
            'model.redefined': { target: 'allowed', actions: 'forgetFailures' },
          },
        },
      },
    },
    device: {
      initial: 'shared',
      on: {
        'alone.wanted': { target: '.alone', actions: { type: 'addAlone', params: ({ event }) => event } },
      },
      states: {
        shared: {},
        /** It ran out of memory beside others, and is tried with a device to itself. */
        alone: {
          on: {
            'alone.over': [
              {
                guard: { type: 'isLast', params: ({ event }) => event },
                target: 'shared',
                actions: { type: 'removeAlone', params: ({ event }) => event },
              },
              { actions: { type: 'removeAlone', params: ({ event }) => event } },
            ],
          },
        },
      },
    },
    place: {
      initial: 'held',
      on: {
        'model.displaced': {
          target: '.displaced',
          actions: { type: 'rememberDisplaced', params: ({ event }) => event },
        },
      },
      states: {
        held: {},
        /** It was loaded because its configuration says so, and had to go for something else: it comes back once nobody needs the room. */
        displaced: {
          on: {
            'process.starting': { target: 'held', actions: 'forgetDisplaced' },
            'model.dropped': { target: 'held', actions: 'forgetDisplaced' },
          },
        },
      },
    },
    pin: {
      initial: 'free',
      on: {
        'model.pinned': { target: '.pinned', actions: { type: 'rememberPin', params: ({ event }) => event } },
      },
      states: {
        free: {},
        pinned: { on: { 'model.unpinned': { target: 'free', actions: 'forgetPin' } } },
      },
    },
  },
});
