import { capacityOf } from './memory.ts';
import { formatBytes } from '../vocabulary.ts';
import { cheapestVictims } from './victims.ts';
import { bytesOn } from './shared-memory.ts';
import { isReturning } from './sharing.ts';
import type { DeviceView, RunnerView, Victim, View } from './view.ts';

/**
 * Who has to go so that no device holds more of Corral's than its limit: idle runners if they suffice, else busy ones too. Pinned
 * ones stay, whatever the limit.
 */
export function overLimit(view: View, nowMs: number): readonly Victim[] {
  const victims = new Map<string, Victim>();
  for (const device of view.devices.values()) {
    const chosen = [...victims.keys()].flatMap((id) => view.runners.get(id) ?? []);
    const leavingBytes = chosen.reduce(
      (sum, { reservation }) => sum + bytesOn(reservation, device, view.devices),
      0,
    );
    const overBytes = device.reservedBytes - device.returningBytes - leavingBytes - capacityOf(device);
    if (overBytes <= 0) continue;
    const hunt = { nowMs, otherSeconds: 0, except: chosen };
    const set =
      cheapestVictims(view, [device], overBytes, { ...hunt, who: 'idle' }) ??
      cheapestVictims(view, [device], overBytes, { ...hunt, who: 'busy' }) ??
      // Pinned ones stand in the way: all others go.
      cheapestVictims(view, [device], evictableBytes(view, device, chosen), { ...hunt, who: 'busy' });
    const reason = `Corral may use no more than ${formatBytes(device.limitBytes)} of ${device.id} now`;
    for (const { id: runnerId } of set?.runners ?? [])
      victims.set(runnerId, { runnerId, code: 'limit_lowered', reason });
  }
  return [...victims.values()];
}

/** What all runners that may be evicted hold of a device. */
function evictableBytes(view: View, device: DeviceView, except: readonly RunnerView[]): number {
  let bytes = 0;
  for (const runner of view.runners.values())
    if (!runner.pinned && !isReturning(runner) && !except.includes(runner))
      bytes += bytesOn(runner.reservation, device, view.devices);
  return bytes;
}
