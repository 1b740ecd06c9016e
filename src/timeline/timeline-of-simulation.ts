import type { SimulationResult } from '../simulation/scenario/result.ts';
import type { TimelineData } from './timeline-data.ts';

/** A simulated run as a timeline, from its beginning to its end. */
export const timelineOfSimulation = ({
  endedAtMs,
  devices,
  runners,
  queue,
  requests,
  decisions,
}: SimulationResult): TimelineData => ({
  fromMs: 0,
  toMs: Math.max(1, endedAtMs),
  devices,
  runners: runners.map(({ id, model, reservation, spans }) => ({
    id,
    model,
    deviceIds: Object.keys(reservation),
    spans,
  })),
  queue,
  requests: requests.map(({ failure, ...request }) => ({ ...request, note: failure?.message ?? null })),
  decisions,
});
