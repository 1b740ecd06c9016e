import type { DeviceEvent } from '../device/contract.ts';
import { stepDevice } from '../device/step.ts';
import { lookAt, type Look } from '../planning/consumption.ts';
import { hostBytesOf, overheadOn } from '../planning/memory.ts';
import { isReturning } from '../planning/sharing.ts';
import { withRow } from '../planning/table.ts';
import { sumBytes, type DeviceId, type ModelSpec, type Reservation, type RunnerId } from '../vocabulary.ts';
import { withBytes, withoutBytes, type BytesColumn } from './device-rows.ts';
import { ModelLedger } from './model-ledger.ts';
import type { RunnerRow } from './tables.ts';

/** What is booked on the devices, for runners and for claims. */
export class MemoryLedger extends ModelLedger {
  /** Changes what is known of a runner; nothing when it is there no more. */
  patch(runnerId: RunnerId, facts: Partial<Omit<RunnerRow, 'id'>>): void {
    const runner = this.runners.get(runnerId);
    if (runner) this.change({ runners: withRow(this.tables.runners, runnerId, { ...runner, ...facts }) });
  }

  /**
   * A look at what a runner really holds: what is booked for it follows. Null
   * for one that is on its way out, and where nothing could be seen.
   */
  measure(runner: RunnerRow, use: Reservation): Look | null {
    if (isReturning(runner) || sumBytes(use) <= 0) return null;
    const { consumption, reservation, promised, spec } = runner;
    const look = lookAt(consumption, reservation, use, spec.needSource === 'configured' ? promised : null);
    if (!isEqual(look.booked, reservation)) this.book(runner, look.booked);
    // Without a word of its GPUs it is not all that it holds.
    const isWhole =
      Object.keys(reservation).every((id) => id === 'CPU') || Object.keys(use).some((id) => id !== 'CPU');
    this.patch(runner.id, {
      consumption: look.consumption,
      ...(isWhole && { measuredBytes: sumBytes(use) }),
    });
    return look;
  }

  /** Of what is booked for a model, what it needs itself. */
  neededOf(spec: ModelSpec, booked: Reservation): Reservation {
    const hostBytes = hostBytesOf(spec);
    const devices = Object.keys(booked).flatMap((id) => this.devices.get(id) ?? []);
    const onGpus = hostBytes > 0 ? devices.filter(({ kind }) => kind !== 'cpu') : [];
    const [device, ...others] = onGpus.length > 0 ? onGpus : devices;
    if (!device || others.length > 0) return booked;
    const ownBytes =
      spec.needBytes + overheadOn(spec, device, this) + (device.kind === 'cpu' ? hostBytes : 0);
    return { ...booked, [device.id]: Math.min(booked[device.id] ?? 0, Math.ceil(ownBytes)) };
  }

  /** A device's chart takes an event; nothing where it is not known. */
  tellDevice(id: DeviceId, event: DeviceEvent): void {
    const device = this.devices.get(id);
    if (!device) return;
    const { pause: before, ...rest } = device;
    const pause = stepDevice(before, event);
    if (pause === before) return;
    this.change({
      devices: new Map(this.devices).set(id, { ...rest, ...(pause !== undefined && { pause }) }),
    });
    this.changeSupply();
  }

  /** A runner's memory is booked anew. */
  protected book(runner: RunnerRow, reservation: Reservation): void {
    this.subtractBytes('reservedBytes', runner.reservation);
    this.addBytes('reservedBytes', reservation);
    this.patch(runner.id, { reservation });
    this.changeSupply();
  }

  protected unclaim(classKey: string): void {
    const claim = this.claims.get(classKey);
    if (!claim) return;
    this.changeSupply();
    this.delete('claims', this.claims, classKey);
    this.subtractBytes('claimedBytes', claim.reservation);
    const { name } = claim.spec;
    if (!this.hasClaim(name)) this.tell(name, { type: 'memory.unclaimed' });
  }

  protected addBytes(column: BytesColumn, reservation: Reservation): void {
    this.change({ devices: withBytes(this.devices, column, reservation) });
  }

  protected subtractBytes(column: BytesColumn, reservation: Reservation): void {
    this.change({ devices: withoutBytes(this.devices, column, reservation) });
  }

  protected changeSupply(): void {
    this.change({ supply: {} });
  }
}

const isEqual = (a: Reservation, b: Reservation): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([id, bytes]) => b[id] === bytes);
