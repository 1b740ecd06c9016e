import type { ModelSpec, Reservation } from '../vocabulary.ts';
import type { DeviceView, View } from './view.ts';

const GB = 1000 ** 3;
/** Main memory that stays free beside a mapped file, and its share of all. */
const LEAST_SPARE_BYTES = 8 * GB;
const SPARE_SHARE = 0.1;

/**
 * Whether a process should read its model's file instead of mapping it, as Ollama chooses (its behaviour N9): always when it runs on the
 * CPU alone or in part beside Metal, and where main memory is too short for the file beside all those that are mapped already, since the
 * pages would be dropped and read again all the time. What is not known is no reason: the default is to map.
 */
export function readsFile(
  { fileBytes, hostBytes = 0 }: ModelSpec,
  reservation: Reservation,
  view: View,
): boolean {
  const devices = Object.entries(reservation).flatMap(([id, bytes]) => {
    const device = view.devices.get(id);
    // What it wants of main memory in any case is not where its layers are.
    return !device || (device.kind === 'cpu' && bytes <= Math.ceil(hostBytes)) ? [] : [device];
  });
  const isOnCpu = devices.some(({ kind }) => kind === 'cpu');
  if (devices.length === 0) return false;
  if (isOnCpu && devices.length === 1) return true;
  if (isOnCpu && devices.some(({ library }) => library === 'Metal')) return true;
  const cpu = [...view.devices.values()].find(({ kind }) => kind === 'cpu');
  if (cpu?.freeBytes == null || fileBytes === undefined) return false;
  return cpu.freeBytes < fileBytes + mappedBytes(view) + spareBytes(cpu);
}

const spareBytes = ({ totalBytes }: DeviceView): number =>
  Math.max(LEAST_SPARE_BYTES, SPARE_SHARE * totalBytes);

/** The files of all runners that were told to map theirs. */
function mappedBytes(view: View): number {
  let bytes = 0;
  for (const { spec } of view.runners.values()) if (!spec.launch.readsFile) bytes += spec.fileBytes ?? 0;
  return bytes;
}
