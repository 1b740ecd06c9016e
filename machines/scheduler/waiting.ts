import { clampKeepAlive } from '../planning/keep-alive.ts';
import type { Waiting } from '../planning/view.ts';
import type { Priority } from '../vocabulary.ts';
import type { Request } from './contract.ts';

/** How much later than it arrived a request stands in line, in ms. Bounded, so that no priority starves another. */
const HANDICAP_MS: Record<Priority, number> = { interactive: -30_000, normal: 0, batch: 60_000 };

/** A request as it stands in line. `seq` is its number in the order of arrival. */
export const newWaiting = (request: Request, nowMs: number, seq: number): Waiting => {
  const { leaseId, spec, priority } = request;
  return {
    leaseId,
    spec,
    arrivedAtMs: nowMs,
    placeMs: nowMs + HANDICAP_MS[priority],
    seq,
    priority,
    keepAlive: clampKeepAlive(request.keepAlive, spec.keepAliveLimit),
    deadlineMs: nowMs + Math.min(request.waitLimitMs, spec.waitLimitMs ?? Infinity),
  };
};
