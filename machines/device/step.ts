import { getNextSnapshot, type SnapshotFrom } from 'xstate';
import { deviceMachine } from '../device.machine.ts';
import type { DeviceEvent, DevicePause } from './contract.ts';

type Value = SnapshotFrom<typeof deviceMachine>['value'];

const valueOf = (pause: DevicePause | undefined): Value => (pause === undefined ? 'used' : { paused: pause });

/** Where a device's chart stands after an event. Pure. */
export function stepDevice(pause: DevicePause | undefined, event: DeviceEvent): DevicePause | undefined {
  const before = deviceMachine.resolveState({ value: valueOf(pause) });
  const { value } = getNextSnapshot(deviceMachine, before, event);
  return typeof value === 'string' ? undefined : value.paused;
}
