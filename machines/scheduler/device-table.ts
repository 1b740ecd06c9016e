import type { DeviceId, DeviceReading, Reservation } from '../vocabulary.ts';
import type { DeviceRow, RunnerRow } from './tables.ts';

/** The devices: what was last read of them, and what Corral has promised on them. */
export class DeviceTable {
  readonly rows = new Map<DeviceId, DeviceRow>();
  #limits: Readonly<Record<DeviceId, number>>;

  constructor(limits: Readonly<Record<DeviceId, number>>) {
    this.#limits = limits;
  }

  /** From now on Corral may use no more than this. */
  limit(limits: Readonly<Record<DeviceId, number>>): void {
    this.#limits = limits;
    for (const row of this.rows.values()) row.limitBytes = limits[row.id] ?? row.totalBytes;
  }

  add(column: 'reservedBytes' | 'returningBytes' | 'claimedBytes', reservation: Reservation): void {
    for (const [id, bytes] of Object.entries(reservation)) {
      const row = this.rows.get(id);
      if (row) row[column] += bytes;
    }
  }

  subtract(column: 'reservedBytes' | 'returningBytes' | 'claimedBytes', reservation: Reservation): void {
    for (const [id, bytes] of Object.entries(reservation)) {
      const row = this.rows.get(id);
      if (row) row[column] = Math.max(0, row[column] - bytes);
    }
  }

  /** Takes a new reading. A device that could not be read, or is missing, keeps what was known of it: unknown is not zero. */
  read(readings: readonly DeviceReading[], runners: readonly RunnerRow[]): void {
    for (const row of this.rows.values()) row.missedReadings++;
    for (const reading of readings) {
      const row = this.rows.get(reading.id) ?? this.#newRow(reading);
      row.missedReadings = 0;
      row.name = reading.name;
      row.totalBytes = reading.totalBytes;
      row.limitBytes = this.#limits[reading.id] ?? reading.totalBytes;
      row.freeBytes = reading.freeBytes;
      if (reading.freeBytes !== null) row.othersBytes = othersOn(row, reading.freeBytes, runners);
      this.rows.set(reading.id, row);
    }
  }

  #newRow(reading: DeviceReading): DeviceRow {
    return {
      ...reading,
      limitBytes: reading.totalBytes,
      missedReadings: 0,
      othersBytes: 0,
      reservedBytes: 0,
      returningBytes: 0,
      claimedBytes: 0,
    };
  }
}

/**
 * What other programs hold. A runner in transition holds some unknown part of its reservation, so a reading only bounds
 * the figure: at least used − all reservations, at most used − the settled ones. Within these bounds the last figure
 * stays: driver numbers lag, and a load in progress must not look like somebody else's memory.
 */
function othersOn(row: DeviceRow, freeBytes: number, runners: readonly RunnerRow[]): number {
  const usedBytes = row.totalBytes - freeBytes;
  let settledBytes = 0;
  for (const runner of runners) if (runner.isSettled) settledBytes += runner.reservation[row.id] ?? 0;
  const least = Math.max(0, usedBytes - row.reservedBytes);
  const most = Math.max(0, usedBytes - settledBytes);
  return Math.min(most, Math.max(least, row.othersBytes));
}
