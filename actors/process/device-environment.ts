import type { DeviceId, Reservation } from '../../machines/vocabulary.ts';

/** What tells the libraries of a program which GPUs it may see. */
const VISIBLE: readonly (readonly [family: RegExp, variable: string])[] = [
  [/^CUDA\d+$/, 'CUDA_VISIBLE_DEVICES'],
  [/^ROCm\d+$/, 'HIP_VISIBLE_DEVICES'],
];

/** The devices of a reservation that are no main memory. */
export const gpusOf = (reservation: Reservation): readonly DeviceId[] =>
  Object.keys(reservation).filter((id) => id !== 'CPU');

/** The number that ends a device's name: `1` of `CUDA1`; empty where there is none. */
export const indexOf = (id: DeviceId): string => /\d+$/.exec(id)?.[0] ?? '';

/**
 * Variables that let a program see the devices that were reserved for it, and no others. Where Corral itself sees only some of the
 * machine's, its own numbers count through those.
 */
export function deviceEnvironment(
  reservation: Reservation,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const gpus = gpusOf(reservation);
  return Object.fromEntries(
    VISIBLE.map(([family, variable]) => {
      const seen = env[variable]?.split(',').map((one) => one.trim()) ?? null;
      const ids = gpus.filter((id) => family.test(id)).map((id) => numberIn(seen, indexOf(id)));
      return [variable, ids.join(',')];
    }),
  );
}

const numberIn = (seen: readonly string[] | null, index: string): string => seen?.[Number(index)] ?? index;
