import type { DeviceView } from '../planning/view.ts';
import type { DeviceId, DeviceReading, Reservation } from '../vocabulary.ts';
import { bytesOn } from '../planning/shared-memory.ts';
import type { RunnerRow } from './tables.ts';

type Devices = ReadonlyMap<DeviceId, DeviceView>;
type Limits = Readonly<Record<DeviceId, number>>;

/** What Corral keeps account of on a device, in bytes. */
export type BytesColumn = 'reservedBytes' | 'returningBytes' | 'claimedBytes';

/** The devices with so much more in one column. */
export const withBytes = (devices: Devices, column: BytesColumn, reservation: Reservation): Devices =>
  added(devices, column, reservation, 1);

/** The devices with so much less in one column, and never less than nothing. */
export const withoutBytes = (devices: Devices, column: BytesColumn, reservation: Reservation): Devices =>
  added(devices, column, reservation, -1);

function added(devices: Devices, column: BytesColumn, reservation: Reservation, sign: 1 | -1): Devices {
  const result = new Map(devices);
  for (const row of devices.values()) {
    const bytes = bytesOn(reservation, row, devices);
    if (bytes > 0) result.set(row.id, { ...row, [column]: Math.max(0, row[column] + sign * bytes) });
  }
  return result;
}

/** From now on Corral may use no more than this. */
export const limited = (devices: Devices, limits: Limits): Devices =>
  new Map([...devices].map(([id, row]) => [id, { ...row, limitBytes: limits[id] ?? row.totalBytes }]));

/** The devices after a new reading; `inPlace` are the runners whose memory this reading has for sure. One that could not be read, or is missing, keeps what was known of it: unknown is not zero. */
export function readInto(
  devices: Devices,
  readings: readonly DeviceReading[],
  limits: Limits,
  inPlace: readonly RunnerRow[],
): Devices {
  const result = new Map<DeviceId, DeviceView>();
  for (const [id, row] of devices) result.set(id, { ...row, missedReadings: row.missedReadings + 1 });
  for (const reading of readings) {
    const { id, name, totalBytes, freeBytes } = reading;
    const before = devices.get(id) ?? newRow(reading);
    const row = {
      ...before,
      missedReadings: 0,
      name,
      totalBytes,
      limitBytes: limits[id] ?? totalBytes,
      freeBytes,
    };
    result.set(id, row);
  }
  for (const row of result.values())
    if (row.missedReadings === 0 && row.freeBytes !== null)
      result.set(row.id, { ...row, othersBytes: othersOn(row, row.freeBytes, inPlace, result) });
  return result;
}

const newRow = (reading: DeviceReading): DeviceView => ({
  ...reading,
  limitBytes: reading.totalBytes,
  missedReadings: 0,
  othersBytes: 0,
  reservedBytes: 0,
  returningBytes: 0,
  claimedBytes: 0,
});

/**
 * What other programs hold. A runner in transition holds some unknown part of its reservation, so a reading only bounds
 * the figure: at least used − all reservations, at most used − those in place. Within these bounds the last figure
 * stays: driver numbers lag, and a load in progress must not look like somebody else's memory.
 */
function othersOn(
  row: DeviceView,
  freeBytes: number,
  inPlace: readonly RunnerRow[],
  devices: Devices,
): number {
  const usedBytes = row.totalBytes - freeBytes;
  // What is free on a GPU that shares main memory is what is free there: all of ours counts, wherever it is.
  const account = row.sharesMainMemory ? (mainMemoryIn(devices) ?? row) : row;
  let measurableBytes = 0;
  for (const { reservation } of inPlace) measurableBytes += bytesOn(reservation, account, devices);
  const least = Math.max(0, usedBytes - account.reservedBytes);
  const most = Math.max(0, usedBytes - measurableBytes);
  return Math.min(most, Math.max(least, row.othersBytes));
}

const mainMemoryIn = (devices: Devices): DeviceView | undefined =>
  [...devices.values()].find(({ kind }) => kind === 'cpu');
