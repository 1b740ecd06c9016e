import type { Failure } from '../failures.ts';
import type { ModelSpec, Reservation } from '../vocabulary.ts';
import { sitesFor } from './placement.ts';
import { isReturning } from './sharing.ts';
import type { DeviceView, RunnerView, View } from './view.ts';

const WITH_RETRY_SECONDS = 60;

/** The devices that somebody has paused. */
export const pausedIds = ({ devices }: Pick<View, 'devices'>): readonly string[] =>
  [...devices.values()].filter(({ pause }) => pause !== undefined).map(({ id }) => id);

/**
 * Whether what is booked so has to leave a device that is paused. Main memory holds something of nearly everybody: only those go that have
 * nothing else.
 */
export const isOn = (reservation: Reservation, { id, kind }: DeviceView): boolean =>
  (reservation[id] ?? 0) > 0 && (kind !== 'cpu' || Object.keys(reservation).length === 1);

/** Who has to go from devices that are paused, pinned or not. */
export const runnersOnPaused = (view: View): readonly RunnerView[] => {
  const paused = [...view.devices.values()].filter(({ pause }) => pause !== undefined);
  return [...view.runners.values()].filter(
    (runner) => !isReturning(runner) && paused.some((device) => isOn(runner.reservation, device)),
  );
};

/** Why a model waits that could only be on devices that are paused. */
export const pausedText = (devices: readonly DeviceView[]): string => {
  const ids = devices.map(({ id }) => id);
  return `${ids.join(' and ')} ${ids.length === 1 ? 'is' : 'are'} paused: corral resume ${ids.join(' ')}`;
};

/** Why a request is refused that needs a device which is paused and refuses; null where it need not be. */
export function refusedByPause(spec: ModelSpec, view: View): Failure | null {
  if (pausedIds(view).length === 0) return null;
  if (view.runnersOf(spec.name).some((runner) => !isReturning(runner))) return null;
  const found = sitesFor(spec, view);
  if (!('paused' in found) || !found.paused.some(({ pause }) => pause === 'refusing')) return null;
  return {
    code: 'paused',
    message: `${spec.name} cannot be loaded now: ${pausedText(found.paused)}.`,
    retryAfterSeconds: WITH_RETRY_SECONDS,
  };
}
