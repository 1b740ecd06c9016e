import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

export interface InvokeDescription {
  readonly id: string;
  /** Name of the actor that is invoked. */
  readonly src: string;
}

export interface StateDescription {
  /** Keys from the root down, joined by dots; the root itself is `''`. */
  readonly path: string;
  /** The parent's path; null for the root. */
  readonly parent: string | null;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** Path of the child that is entered first. */
  readonly initial: string | null;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invokes: readonly InvokeDescription[];
  readonly tags: readonly string[];
  readonly description: string | null;
}

export interface TransitionDescription {
  /** As `transitionId` gives it. */
  readonly id: string;
  /** Path of the state that has it. */
  readonly source: string;
  /** XState's event type; `''` for `always`. */
  readonly event: string;
  /** The event in words: `after loadStall`, `done: awaitReady`, `always`. */
  readonly label: string;
  /** Null: none. A guard written in place of use has no name, so it reads `unnamed`. */
  readonly guard: string | null;
  /** A delay's name, or its length in ms. */
  readonly delay: string | number | null;
  /** Paths; empty where the state stays and only the actions run. */
  readonly targets: readonly string[];
  readonly actions: readonly string[];
  /** Whether a target inside the source (or the source itself) makes the source start anew. */
  readonly reenter: boolean;
}

/** A statechart as data: plain JSON, in the order in which it is written. */
export interface MachineDescription {
  readonly id: string;
  readonly states: readonly StateDescription[];
  readonly transitions: readonly TransitionDescription[];
}

/** Describes a machine without running it. Each branch of a guarded transition is a transition of its own. */
export function describeMachine(machine: AnyStateMachine): MachineDescription {
  const nodes = nodesFrom(machine.root);
  return {
    id: machine.id,
    states: nodes.map(describeState),
    transitions: nodes.flatMap((node) => transitionsOf(node).map(describeTransition)),
  };
}

/**
 * Names one transition of a machine, the same in every run: `loaded.idle.counting after keepAlive 1` is the second branch for that
 * event. It also names what an inspector reports as taken.
 */
export function transitionId(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition;
  const branches = eventType === '' ? source.always : source.transitions.get(eventType);
  return `${pathOf(source) || source.machine.id} ${eventType || 'always'} ${branches?.indexOf(transition) ?? 0}`;
}

const pathOf = (node: AnyStateNode): string => node.path.join('.');

const nodesFrom = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap((child) => nodesFrom(child)),
];

const transitionsOf = (node: AnyStateNode): AnyTransitionDefinition[] => [
  ...(node.always ?? []),
  ...[...node.transitions.values()].flat(),
];

function describeState(node: AnyStateNode): StateDescription {
  const { entry, exit } = node.config as { entry?: unknown; exit?: unknown };
  return {
    path: pathOf(node),
    parent: node.parent ? pathOf(node.parent) : null,
    type: node.type,
    initial: node.initial.target[0] ? pathOf(node.initial.target[0]) : null,
    // From the configuration: the node's own lists also hold what XState adds to arm and cancel timers.
    entry: listOf(entry).map(nameOf),
    exit: listOf(exit).map(nameOf),
    invokes: node.invoke.map(({ id, src }) => ({ id, src: nameOf(src) })),
    tags: node.tags,
    description: node.description ?? null,
  };
}

function describeTransition(transition: AnyTransitionDefinition): TransitionDescription {
  const { source, eventType, guard, target, actions, reenter } = transition;
  const delay = 'delay' in transition ? (transition.delay as string | number) : null;
  const delayText = typeof delay === 'number' ? `${delay} ms` : delay;
  return {
    id: transitionId(transition),
    source: pathOf(source),
    event: eventType,
    label: delay === null ? labelOf(eventType, source) : `after ${delayText}`,
    guard: guard === undefined ? null : nameOf(guard),
    delay,
    targets: (target ?? []).map(pathOf),
    actions: actions.map(nameOf),
    reenter,
  };
}

const ACTOR_EVENT = /^xstate\.(done|error)\.actor\.(.+)$/;

function labelOf(eventType: string, source: AnyStateNode): string {
  if (eventType === '') return 'always';
  const [, outcome, actorId] = ACTOR_EVENT.exec(eventType) ?? [];
  if (actorId === undefined) return eventType;
  const invoked = source.invoke.find(({ id }) => id === actorId);
  return `${outcome}: ${invoked ? nameOf(invoked.src) : actorId === '*' ? 'any child' : actorId}`;
}

const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];

/** The name of an action, a guard or an actor, with those of its parameters that are fixed. */
function nameOf(reference: unknown): string {
  if (typeof reference === 'string') return reference;
  if (typeof reference !== 'object' || reference === null || !('type' in reference)) return 'unnamed';
  const params = 'params' in reference ? reference.params : undefined;
  if (typeof params !== 'object' || params === null) return String(reference.type);
  return `${String(reference.type)}(${Object.values(params).map(String).join(', ')})`;
}
