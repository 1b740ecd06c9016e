import type { AnyStateNode } from 'xstate';

/** A transition as it is written in a machine: from which state, by what, to where; `to` is null where it stays. */
export interface Written {
  readonly from: string;
  readonly to: string | null;
  /** `door.entered [isKept]` */
  readonly text: string;
}

interface Branch {
  readonly target?: string | readonly string[];
  readonly guard?: string | { readonly type: string };
}
type Branches = string | Branch | readonly (string | Branch)[] | undefined;

interface StateConfig {
  readonly on?: Readonly<Record<string, Branches>>;
  readonly after?: Readonly<Record<string, Branches>>;
  readonly always?: Branches;
  readonly invoke?: Invoke | readonly Invoke[];
}
interface Invoke {
  readonly src: string;
  readonly onDone?: Branches;
  readonly onError?: Branches;
}

/** Every transition of one state, read from its configuration and from nothing else. */
export function writtenIn(node: AnyStateNode): Written[] {
  const { on = {}, after = {}, always, invoke } = node.config as StateConfig;
  const invokes = invoke === undefined ? [] : [invoke].flat();
  const handlers: [string, Branches][] = [
    ['always', always],
    ...Object.entries(on).map(([event, branches]): [string, Branches] => [inWords(event), branches]),
    ...Object.entries(after).map(([delay, branches]): [string, Branches] => [
      `after ${/^\d+$/.test(delay) ? `${delay} ms` : delay}`,
      branches,
    ]),
    ...invokes.flatMap(({ src, onDone, onError }): [string, Branches][] => [
      [`done: ${src}`, onDone],
      [`error: ${src}`, onError],
    ]),
  ];
  return handlers.flatMap(([event, branches]) =>
    branchesOf(branches).flatMap((branch) => moves(node, event, branch)),
  );
}

function moves(node: AnyStateNode, event: string, { target, guard }: Branch): Written[] {
  const name = typeof guard === 'object' ? guard.type : guard;
  const text = name === undefined ? event : `${event} [${name}]`;
  const from = node.path.join('.');
  const targets = target === undefined ? [] : [target].flat();
  if (targets.length === 0) return [{ from, to: null, text }];
  return targets.map((one) => ({ from, to: targetPath(node, one as string), text }));
}

/** `#runner.alive.loaded` is from the root, `.warming` from the state itself, `ready` from its parent. */
function targetPath(node: AnyStateNode, target: string): string {
  if (target.startsWith('#')) return target.split('.').slice(1).join('.');
  if (target.startsWith('.')) return [...node.path, ...target.slice(1).split('.')].join('.');
  return [...node.path.slice(0, -1), ...target.split('.')].join('.');
}

const branchesOf = (branches: Branches): Branch[] =>
  branches === undefined
    ? []
    : [branches]
        .flat()
        .map((branch) => (typeof branch === 'string' ? { target: branch } : (branch as Branch)));

const inWords = (event: string): string =>
  event.replace(/^xstate\.(done|error)\.actor\.\*$/, (_, outcome: string) => `${outcome}: any child`);
