import { devicesMachine } from '../machines/devices.machine.ts';
import type { Effects } from '../machines/effects.ts';
import { runnerMachine } from '../machines/runner.machine.ts';
import { schedulerMachine } from '../machines/scheduler.machine.ts';

/** The one place where decisions meet effects: the machines, with a table of actors to act through. */
export function compose(effects: Effects): typeof schedulerMachine {
  const { runProcess, awaitReady, watchHealth, probeDevices, measureUse } = effects;
  return schedulerMachine.provide({
    actors: {
      runner: runnerMachine.provide({
        actors: { runProcess, awaitReady, watchHealth, probeDevices, measureUse },
      }),
      devices: devicesMachine.provide({ actors: { probeDevices } }),
    },
  });
}
