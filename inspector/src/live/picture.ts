import type { Entry, Row } from 'corral/client';

/** A runner, one that waits, a device, a decision, an event between actors, a statechart: as the WebSocket API tells them. */
export type Runner = Row<'runners'>;
export type Wait = Row<'queue'>;
export type Device = Row<'devices'>;
export type Chart = Row<'charts'>;
/** An actor that has a chart, and where it stands on it. */
export type Actor = Row<'actors'>;
export type Decision = Entry<'decisions'>;
export type ActorEvent = Entry<'events'>;

/** A configured model, loaded or not. */
export type Model = Row<'models'>;

/** The whole system at one moment: all that views draw from. */
export interface Picture {
  readonly runners: readonly Runner[];
  readonly queue: readonly Wait[];
  readonly devices: readonly Device[];
  readonly actors: readonly Actor[];
  /** The last ones, oldest first. */
  readonly decisions: readonly Decision[];
  readonly events: readonly ActorEvent[];
}
