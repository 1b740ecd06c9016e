import type { LaunchOptions, ModelSpec } from '../vocabulary.ts';
import type { RunnerState } from '../runner/contract.ts';
import type { RunnerView } from './view.ts';

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);

/** Whether both are started in the same way: with the same program, through the same wrapper, in the same environment. */
const sameProgram = (a: LaunchOptions, b: LaunchOptions): boolean =>
  JSON.stringify(programOf(a)) === JSON.stringify(programOf(b));

const programOf = (launch: LaunchOptions): readonly unknown[] =>
  launch.runtime === 'command'
    ? [launch.runtime, launch.program]
    : [launch.runtime, launch.binary, launch.wrapper, launch.env];

/**
 * Whether a process launched for `running` can serve a request for `wanted` without a reload: equal in all that a
 * process is launched with, except that a larger context also serves a smaller one.
 */
export function canServe(running: ModelSpec, wanted: ModelSpec): boolean {
  if (running.classKey === wanted.classKey) return true;
  if (running.name !== wanted.name) return false;
  const [a, b] = [running.launch, wanted.launch];
  return (
    a.contextTokens >= b.contextTokens &&
    a.modelPath === b.modelPath &&
    a.projectorPath === b.projectorPath &&
    a.slots === b.slots &&
    a.embedding === b.embedding &&
    a.reranking === b.reranking &&
    a.gpuLayers === b.gpuLayers &&
    a.expertsOnCpu === b.expertsOnCpu &&
    a.promptCacheMiB === b.promptCacheMiB &&
    sameProgram(a, b) &&
    sameList(a.adapterPaths, b.adapterPaths) &&
    sameList(a.extraArgs, b.extraArgs) &&
    running.placement === wanted.placement
  );
}

/** Whether a runner gives leases: the only two states that do. */
export const isServing = (runner: RunnerView): boolean => runner.state === 'ready' || runner.state === 'idle';

/** Whether a runner is on its way out: what it holds will come back. */
export const isReturning = ({ state }: { readonly state: RunnerState }): boolean =>
  state !== 'loading' && state !== 'ready' && state !== 'idle';
