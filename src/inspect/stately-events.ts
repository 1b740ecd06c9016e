import type { AnyActorRef, AnyEventObject, InspectionEvent, Snapshot } from 'xstate';
import { modelMachine } from '../../machines/model.machine.ts';
import type { ModelRow } from '../../machines/model/contract.ts';
import type { ModelStep } from '../../machines/scheduler/contract.ts';
import { modelActorId } from '../charts/model-actors.ts';
import { toldOfContext, toldOfEvent, type Told } from '../charts/told.ts';
import { timeOfDay } from '../time-of-day.ts';

/** The version of `@statelyai/inspect` whose wire format this is. */
const VERSION = '0.7.2';
/** Longest text within an event or a context, in characters. */
const LONGEST_TEXT = 500;

interface Common {
  readonly _version: string;
  /** Ms since 1970, as text. */
  readonly createdAt: string;
  readonly id: null;
  readonly rootId: string;
  /** Of the actor that it is about. */
  readonly sessionId: string;
}

interface ToldSnapshot {
  readonly status: Snapshot<unknown>['status'];
  readonly value?: unknown;
  readonly context?: object;
  readonly tags?: readonly string[];
  readonly historyValue?: object;
  readonly children?: object;
}

/** One message of the wire format: an actor that is new, an event that was sent, the snapshot that an actor came to. */
export type StatelyEvent = Common &
  (
    | {
        readonly type: '@xstate.actor';
        readonly name: string;
        readonly parentId: string | undefined;
        /** The machine's configuration, as JSON inside of JSON. */
        readonly definition: string;
        readonly snapshot: ToldSnapshot;
      }
    | {
        readonly type: '@xstate.event';
        readonly event: AnyEventObject;
        readonly sourceId: string | undefined;
      }
    | { readonly type: '@xstate.snapshot'; readonly event: AnyEventObject; readonly snapshot: ToldSnapshot }
  );

/** Makes messages of what XState tells inspectors; null for the kinds that the wire format does not have. */
export function statelyEvent(inspected: InspectionEvent, nowMs: number): StatelyEvent | null {
  const ref = inspected.actorRef as AnyActorRef;
  const common = commonOf(ref, inspected.rootId, nowMs);
  switch (inspected.type) {
    case '@xstate.actor':
      return actorEvent(ref, common, { status: 'active' });
    case '@xstate.event':
      return {
        ...common,
        type: '@xstate.event',
        event: redactedEvent(inspected.event),
        sourceId: inspected.sourceRef?.sessionId,
      };
    case '@xstate.snapshot':
      return snapshotEvent(ref, common, inspected.event, inspected.snapshot);
    case '@xstate.microstep':
    case '@xstate.action':
    case '@xstate.transition':
      return null;
  }
}

/** An actor as it is now, for those who come late: what it is, and where it stands. */
export function presentEvents(ref: AnyActorRef, rootId: string, nowMs: number): StatelyEvent[] {
  const common = commonOf(ref, rootId, nowMs);
  const snapshot = ref.getSnapshot() as Snapshot<unknown>;
  return [
    actorEvent(ref, common, redactedSnapshot(ref, snapshot)),
    snapshotEvent(ref, common, { type: 'xstate.init' }, snapshot),
  ];
}

/** A model's chart, which the scheduler plays itself: told as an actor that the scheduler had started. */
export function modelEvents(model: string, row: ModelRow, rootId: string, nowMs: number): StatelyEvent[] {
  const common = header(modelActorId(model), rootId, nowMs);
  const snapshot = modelSnapshot(row);
  return [
    {
      ...common,
      type: '@xstate.actor',
      name: modelActorId(model),
      parentId: rootId,
      definition: definitionText(modelMachine.config),
      snapshot,
    },
    { ...common, type: '@xstate.snapshot', event: { type: 'xstate.init' }, snapshot },
  ];
}

/** An event that a model's chart has taken, and where it stands since. */
export function modelStepEvents(
  { model, event, after }: ModelStep,
  rootId: string,
  nowMs: number,
): StatelyEvent[] {
  const common = header(modelActorId(model), rootId, nowMs);
  return [
    { ...common, type: '@xstate.event', event: redactedEvent(event), sourceId: rootId },
    {
      ...common,
      type: '@xstate.snapshot',
      event: redactedEvent(event),
      snapshot: modelSnapshot(after),
    },
  ];
}

const modelSnapshot = ({ state, context }: ModelRow): ToldSnapshot => ({
  status: 'active',
  value: state,
  context: bounded(toldOfContext(modelMachine.id, context)),
  tags: [],
  historyValue: {},
  children: {},
});

/** What ends an actor for those who have missed its end. */
export const goneEvent = (sessionId: string, rootId: string, nowMs: number): StatelyEvent => ({
  ...header(sessionId, rootId, nowMs),
  type: '@xstate.snapshot',
  event: { type: 'xstate.stop' },
  snapshot: { status: 'stopped' },
});

const header = (sessionId: string, rootId: string, nowMs: number): Common => ({
  _version: VERSION,
  createdAt: String(Math.round(timeOfDay(nowMs))),
  id: null,
  rootId,
  sessionId,
});

const commonOf = (ref: AnyActorRef, rootId: string | undefined, nowMs: number): Common =>
  header(ref.sessionId, rootId ?? ref.sessionId, nowMs);

const actorEvent = (ref: AnyActorRef, common: Common, snapshot: ToldSnapshot): StatelyEvent => ({
  ...common,
  type: '@xstate.actor',
  name: nameOf(ref),
  parentId: ref._parent?.sessionId,
  definition: definitionOf(ref),
  snapshot,
});

const snapshotEvent = (
  ref: AnyActorRef,
  common: Common,
  event: AnyEventObject,
  snapshot: Snapshot<unknown>,
): StatelyEvent => ({
  ...common,
  type: '@xstate.snapshot',
  event: redactedEvent(event),
  snapshot: redactedSnapshot(ref, snapshot),
});

const redactedEvent = (event: AnyEventObject): AnyEventObject => ({
  type: event.type,
  ...bounded(toldOfEvent(event)),
});

const bounded = (told: Told): Told =>
  Object.fromEntries(
    Object.entries(told).map(([key, value]) => [
      key,
      typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : value,
    ]),
  );

interface MachineSnapshot {
  readonly value: unknown;
  readonly context: unknown;
  readonly tags: ReadonlySet<string>;
}

/** Outputs, errors and what processes say are left out; children are actors of their own, with this one as `parentId`. */
function redactedSnapshot(ref: AnyActorRef, snapshot: Snapshot<unknown>): ToldSnapshot {
  const { status } = snapshot;
  const config = configOf(ref);
  if (!config) return { status };
  const { value, context, tags } = snapshot as unknown as MachineSnapshot;
  return {
    status,
    value,
    context: bounded(toldOfContext(config.id, context)),
    tags: [...tags],
    historyValue: {},
    children: {},
  };
}

/** An actor without a name of its own, as the root is, goes by its machine's. */
const nameOf = (ref: AnyActorRef): string =>
  ref.id === ref.sessionId ? (configOf(ref)?.id ?? ref.id) : ref.id;

const definitions = new WeakMap<object, string>();

/** The same text for all runners: it is written once. */
function definitionOf(ref: AnyActorRef): string {
  const config = configOf(ref);
  return config ? definitionText(config) : JSON.stringify({ id: nameOf(ref) });
}

function definitionText(config: object): string {
  const known = definitions.get(config);
  if (known !== undefined) return known;
  const text = JSON.stringify(config, (_, value: unknown) =>
    typeof value === 'function' ? { type: value.name } : value,
  );
  definitions.set(config, text);
  return text;
}

/** Of a machine; promises and callbacks have a function there. */
function configOf({ logic }: AnyActorRef & { logic?: { config?: unknown } }): { id: string } | null {
  const config = logic?.config;
  return typeof config === 'object' && config !== null && 'id' in config ? (config as { id: string }) : null;
}
