import { isOn, refusedByPause, runnersOnPaused } from '../planning/paused.ts';
import type { EventOf } from './contract.ts';
import { recordOf } from './decisions.ts';
import type { Ledger } from './ledger.ts';
import { isOwn, refuse, type Outlet } from './steps.ts';

/** Devices are wanted for something else: who runs there finishes within `drainMs` and goes, pinned or not, and loads are aborted. */
export function pauseDevices(
  ledger: Ledger,
  { deviceIds, refuse: isRefusing, drainMs }: EventOf<'devices.pause'>,
  out: Outlet,
): void {
  for (const id of deviceIds) ledger.tellDevice(id, { type: 'device.pause', refuse: isRefusing });
  for (const id of deviceIds) {
    const device = ledger.devices.get(id);
    if (device) ledger.unclaimOn((reservation) => isOn(reservation, device));
  }
  for (const { id, spec, reservation } of runnersOnPaused(ledger)) {
    const reason = `${Object.keys(reservation).join(' + ')} is wanted for something else (corral pause)`;
    const facts = { model: spec.name, reason, code: 'device_paused', runnerId: id } as const;
    out.emit({ type: 'decision', record: recordOf(ledger, 'evict', facts) });
    out.command(id, { type: 'runner.expire', reason, drainMs });
    ledger.displace(id);
    ledger.dismiss(id);
  }
  refuseWaiting(ledger, out);
}

/** Who waits already is told the same as who comes. What Corral itself wants to load waits for the devices to come back. */
function refuseWaiting(ledger: Ledger, out: Outlet): void {
  for (const waiting of ledger.allWaiting()) {
    const failure = isOwn(waiting.leaseId) ? null : refusedByPause(waiting.spec, ledger);
    if (failure === null) continue;
    ledger.withdraw(waiting.leaseId);
    refuse(ledger, [waiting], failure, out);
  }
}

/** Corral has them back: who waits for them is planned for anew. */
export function resumeDevices(ledger: Ledger, { deviceIds }: EventOf<'devices.resume'>): void {
  for (const id of deviceIds) ledger.tellDevice(id, { type: 'device.resume' });
}
