import { createActor, type ActorOptions, type AnyActorLogic } from 'xstate';
import { Doors, type DoorsOptions } from '../actors/doors.ts';
import { devicesMachine } from '../machines/devices.machine.ts';
import type { OuterEffects } from '../machines/effects.ts';
import { runnerMachine } from '../machines/runner.machine.ts';
import { schedulerMachine } from '../machines/scheduler.machine.ts';
import type { SchedulerInput } from '../machines/scheduler/contract.ts';
import type { Scheduler } from './ledger-of.ts';

export interface SchedulerParts extends Pick<DoorsOptions, 'tellWithinMs'> {
  readonly clock: NonNullable<ActorOptions<AnyActorLogic>['clock']>;
  readonly input: SchedulerInput;
  /** Hears what a listener of the doors has thrown; absent: it is thrown on. */
  readonly onBroken?: DoorsOptions['onBroken'];
}

/** The one place where decisions meet effects: the machines, with a table of actors to act through, and the doors to their runners. */
export function createScheduler(
  effects: OuterEffects,
  { clock, input, tellWithinMs, onBroken = rethrow }: SchedulerParts,
): { readonly scheduler: Scheduler; readonly doors: Doors } {
  const later = (fire: () => void, delayMs: number): void => void clock.setTimeout(fire, delayMs);
  const doors: Doors = new Doors({
    now: input.now,
    later,
    tellWithinMs,
    onBroken,
    policy: () => scheduler.getSnapshot().context.settings.plan.policy,
    // A stopped actor would only complain.
    send: (command) => scheduler.getSnapshot().status === 'active' && scheduler.send(command),
  });
  const { keepDoor } = doors;
  const { probeDevices, readAhead, ...others } = effects;
  const machine = schedulerMachine.provide({
    actors: {
      runner: runnerMachine.provide({
        actors: { ...others, probeDevices, keepDoor },
      }),
      readAhead,
      devices: devicesMachine.provide({ actors: { probeDevices } }),
    },
  });
  const scheduler: Scheduler = createActor(machine, { clock, input });
  scheduler.on('request.granted', (granted) => doors.letIn(granted));
  scheduler.on('request.refused', ({ leaseId, failure }) => doors.refuse(leaseId, failure));
  return { scheduler, doors };
}

function rethrow(error: unknown): never {
  throw error;
}
