import { listDevices } from '../../actors/probes/list-devices.ts';
import { leftOut, leftOutText } from '../../actors/probes/second-listings.ts';
import { formatBytes, type DeviceId } from '../../machines/vocabulary.ts';
import type { Config } from '../config/schema.ts';

/** A device that llama-server lists, as `corral check` shows it. */
export interface ListedDevice {
  readonly id: DeviceId;
  readonly name: string;
  readonly totalBytes: number;
  /** Why it is not used; null when it is. */
  readonly leftOut: string | null;
}

/** What llama-server lists; `problem` says why it could not be asked. Takes up to 20 s where a GPU driver is cold. */
export async function listedDevices(
  llamaServer: string | null,
  { devices: settings }: Pick<Config, 'devices'>,
): Promise<{ readonly devices: readonly ListedDevice[]; readonly problem: string | null }> {
  if (llamaServer === null) return { devices: [], problem: null };
  try {
    const devices = await listDevices(llamaServer);
    const limits = Object.fromEntries(
      Object.entries(settings).flatMap(([id, { memory }]) => (memory === undefined ? [] : [[id, memory]])),
    );
    const left = new Map(leftOut(devices, limits).map((one) => [one.id, leftOutText(one)]));
    return {
      devices: devices.map(({ id, name, totalBytes }) => ({
        id,
        name,
        totalBytes,
        leftOut: left.get(id) ?? null,
      })),
      problem: null,
    };
  } catch (error) {
    return { devices: [], problem: error instanceof Error ? error.message : String(error) };
  }
}

/** A line for each device. */
export const deviceLines = (devices: readonly ListedDevice[]): readonly string[] =>
  devices.map(({ id, name, totalBytes, leftOut: why }) =>
    why === null ? `device ${id}: ${name}, ${formatBytes(totalBytes)}` : `device ${why}`,
  );
