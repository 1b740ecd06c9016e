import { sendTo, setup, type ActorRef, type Snapshot } from 'xstate';
import { effects } from './effects.ts';
import type { DeviceReading } from './vocabulary.ts';

export interface DevicesInput {
  /** Rest between two readings. */
  readonly intervalMs: number;
  /** A probe that takes longer is given up; what was known stays. */
  readonly deadlineMs: number;
  readonly supervisor: ActorRef<
    Snapshot<unknown>,
    { type: 'devices.read'; readings: readonly DeviceReading[] }
  >;
}

/** For an actor without input, as XState makes one to compute a single transition: a timer without a delay would fire at once. */
const WITHOUT_TIMERS = { intervalMs: Infinity, deadlineMs: Infinity };

/** Reads the devices on a rhythm. A probe that fails or hangs says nothing, and delays nobody. */
export const devicesMachine = setup({
  types: {
    context: {} as DevicesInput,
    input: {} as DevicesInput,
    events: {} as { type: 'devices.probe' },
  },
  actors: { probeDevices: effects.probeDevices },
  actions: {
    reportReadings: sendTo(
      ({ context }) => context.supervisor,
      (_, params: { readings: readonly DeviceReading[] }) => ({
        type: 'devices.read' as const,
        readings: params.readings,
      }),
    ),
  },
  delays: {
    interval: ({ context }) => context.intervalMs,
    deadline: ({ context }) => context.deadlineMs,
  },
}).createMachine({
  id: 'devices',
  context: ({ input }) => ({ ...WITHOUT_TIMERS, ...input }),
  initial: 'probing',
  states: {
    probing: {
      invoke: {
        id: 'probe',
        src: 'probeDevices',
        input: { deviceIds: null },
        onDone: {
          target: 'resting',
          actions: { type: 'reportReadings', params: ({ event }) => ({ readings: event.output }) },
        },
        onError: 'resting',
      },
      after: { deadline: 'resting' },
    },
    resting: { after: { interval: 'probing' }, on: { 'devices.probe': 'probing' } },
  },
});
