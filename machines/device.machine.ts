import { setup } from 'xstate';
import type { DeviceEvent } from './device/contract.ts';

const deviceSetup = setup({
  types: { events: {} as DeviceEvent },
  guards: {
    refuses: (_, { refuse }: { refuse: boolean }) => refuse,
  },
});

const refuses = {
  type: 'refuses' as const,
  params: ({ event }: { event: { readonly refuse: boolean } }) => event,
};

/**
 * Whose one device is: Corral's, or that of whoever has paused it for something else. The scheduler plays it within its own transitions, on
 * the rows that it keeps (`stepDevice`): runners on it drain when it is paused, and none is started there before it is given back.
 */
export const deviceMachine = deviceSetup.createMachine({
  id: 'device',
  initial: 'used',
  states: {
    used: {},
    paused: {
      initial: 'queueing',
      states: {
        /** Who can have no other device waits for it. */
        queueing: {},
        /** Who can have no other device is told so at once. */
        refusing: {},
      },
      on: { 'device.resume': 'used' },
    },
  },
  on: { 'device.pause': [{ guard: refuses, target: '.paused.refusing' }, { target: '.paused.queueing' }] },
});
