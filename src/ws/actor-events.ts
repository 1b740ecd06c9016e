import type { AnyActorRef, AnyEventObject, InspectionEvent } from 'xstate';
import type { Scheduler } from '../leases.ts';
import { momentOf } from './moment.ts';
import type { Entry } from './protocol.ts';
import type { Follow } from './stream-source.ts';

type Scalar = string | number | boolean | null;

/** What is told of an event's content. Only what is named here: endpoints have keys, and models have arguments. */
const TOLD = [
  'runnerId',
  'leaseId',
  'model',
  'state',
  'reason',
  'drainMs',
  'keepAlive',
  'pinned',
  'pid',
  'progress',
  'slots',
  'contextTokens',
  'exitCode',
  'signal',
  'priority',
] as const;

/** Each event that actors send to each other, while somebody follows: else XState does not even make them. */
export const actorEvents =
  (scheduler: Scheduler, now: () => number): Follow<Entry<'events'>> =>
  (push) => {
    const watching = scheduler.system.inspect((inspected: InspectionEvent) => {
      if (inspected.type !== '@xstate.event') return;
      const { sourceRef, actorRef, event } = inspected;
      // How XState settles a promise of its own, before it says `xstate.done.actor`.
      if (event.type.startsWith('xstate.promise.')) return;
      push({
        at: momentOf(now()),
        from: sourceRef ? nameOf(sourceRef as AnyActorRef) : null,
        to: nameOf(actorRef as AnyActorRef),
        type: event.type,
        data: dataOf(event),
      });
    });
    return () => watching.unsubscribe();
  };

/** `scheduler`, `runner-1`, `runner-1.process`. */
function nameOf({ id, _parent: parent }: AnyActorRef): string {
  if (!parent) return 'scheduler';
  return parent._parent ? `${nameOf(parent)}.${id}` : id;
}

function dataOf(event: AnyEventObject): Record<string, Scalar> {
  const { request, spec, failure } = event as Record<string, Record<string, unknown> | null | undefined>;
  const { name } = (request?.['spec'] ?? spec ?? {}) as { name?: unknown };
  const named = { model: name, leaseId: request?.['leaseId'], failure: failure?.['code'] };
  const told = TOLD.map((key) => [key, (event as Record<string, unknown>)[key]] as const);
  return Object.fromEntries(
    [...Object.entries(named), ...told].filter((pair): pair is [string, Scalar] => isScalar(pair[1])),
  );
}

const isScalar = (value: unknown): value is Scalar =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
