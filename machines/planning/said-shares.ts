import type { DeviceId, ModelSpec, Reservation } from '../vocabulary.ts';
import { overheadOn } from './overhead.ts';
import { readArguments } from './server-options.ts';
import type { DeviceView, View } from './view.ts';

/** Whether it is said how a model is split, by its arguments (`--tensor-split`) or its memory: by the order of its devices, and not by their room. */
export const saysSplit = ({ launch, shares }: ModelSpec): boolean =>
  shares !== undefined || splitOf(launch.extraArgs) !== undefined;

/** Whether devices are those that shares are said for, where any are. */
export const areSaid = ({ shares }: ModelSpec, devices: readonly DeviceView[]): boolean =>
  shares === undefined ||
  (devices.length === Object.keys(shares).length && devices.every(({ id }) => shares[id] !== undefined));

/**
 * What each device of a split holds where arguments say it, in whole bytes; null where Corral shares it out. A device whose proportion is
 * 0 stays in the list: the next proportion is not its own.
 */
export function saidShares(spec: ModelSpec, devices: readonly DeviceView[], view: View): Reservation | null {
  if (spec.shares && areSaid(spec, devices)) return spec.shares;
  if (devices.length < 2 || devices.at(-1)?.kind === 'cpu') return null;
  const split = splitOf(spec.launch.extraArgs)?.slice(0, devices.length) ?? [];
  const sum = split.reduce((all, share) => all + share, 0);
  if (sum === 0) return null;
  const reservation: Record<DeviceId, number> = {};
  devices.forEach((device, i) => {
    const bytes = Math.ceil((spec.needBytes * (split[i] ?? 0)) / sum);
    reservation[device.id] = bytes + overheadOn(spec, device, view);
  });
  return reservation;
}

const splitOf = (args: readonly string[]): readonly number[] | undefined =>
  args.length === 0 ? undefined : readArguments(args).options.tensorSplit;
