import { deviceMachine } from '../../machines/device.machine.ts';
import { devicesMachine } from '../../machines/devices.machine.ts';
import { modelMachine } from '../../machines/model.machine.ts';
import { runnerMachine } from '../../machines/runner.machine.ts';
import { schedulerMachine } from '../../machines/scheduler.machine.ts';
import { describeMachine, type MachineDescription } from './describe-machine.ts';

/** Every statechart of Corral, described. */
export const allCharts = (): MachineDescription[] =>
  [runnerMachine, modelMachine, schedulerMachine, deviceMachine, devicesMachine].map((machine) =>
    describeMachine(machine),
  );
