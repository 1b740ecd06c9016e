import { formatBytes } from '../vocabulary.ts';
import { capacityOf } from './memory.ts';
import { bytesOn, countsOn } from './shared-memory.ts';
import { cheapestVictims } from './victims.ts';
import type { DeviceView, RunnerView, Victim, View } from './view.ts';

/**
 * Who has to go because a runner holds more than was planned, before there is nothing left: what is booked is more than there is. Idle runners
 * if they suffice, else busy ones too. Of memory that others than Corral hold, only as much is made room for as has outgrown its plan: their coming and going
 * alone evicts nobody.
 */
export function makeWay(grown: RunnerView, view: View, nowMs: number): readonly Victim[] {
  const victims = new Map<string, RunnerView>();
  if (view.settings.eviction === 'manual') return [];
  for (const device of view.devices.values()) {
    if (bytesOn(grown.reservation, device, view.devices) === 0) continue;
    const except = [...victims.values()];
    const leavingBytes = except.reduce(
      (bytes, { reservation }) => bytes + bytesOn(reservation, device, view.devices),
      device.returningBytes,
    );
    const bookedBytes = device.reservedBytes - leavingBytes;
    const hunt = { nowMs, otherSeconds: 0, except: [...except, grown] };
    const beside = Math.min(
      bookedBytes + device.othersBytes - device.totalBytes,
      outgrownBytes(device, view),
    );
    const overBytes = bookedBytes - capacityOf(device);
    const set =
      (beside > 0 || overBytes > 0
        ? cheapestVictims(view, [device], Math.max(beside, overBytes), { ...hunt, who: 'idle' })
        : null) ??
      (overBytes > 0 ? cheapestVictims(view, [device], overBytes, { ...hunt, who: 'busy' }) : null);
    for (const runner of set?.runners ?? []) victims.set(runner.id, runner);
  }
  const held = Object.values(grown.reservation).reduce((bytes, some) => bytes + some, 0);
  const reason = `${grown.spec.name} has outgrown its plan: ${formatBytes(held)} are booked for it now`;
  return [...victims.keys()].map((runnerId) => ({ runnerId, code: 'memory_outgrown', reason }));
}

/** What all runners hold of a device above what was planned. */
function outgrownBytes(device: DeviceView, view: View): number {
  let bytes = 0;
  for (const { reservation, promised } of view.runners.values())
    for (const [id, booked] of Object.entries(reservation)) {
      const held = view.devices.get(id);
      if (held && countsOn(device, held)) bytes += Math.max(0, booked - (promised[id] ?? 0));
    }
  return bytes;
}
