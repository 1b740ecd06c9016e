import type { Failure } from '../failures.ts';
import type { RunnerLimits } from './contract.ts';
import type { RunnerContext } from './setup.ts';

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function drainOver(model: string): Failure {
  return {
    code: 'stopped',
    message: `${model} was unloaded: the time for running requests to finish is over.`,
  };
}
export function stalled({ spec, limits }: RunnerContext): Failure {
  return {
    code: 'load_stalled',
    message: `${spec.name} gave no sign of life for ${limits.loadStallMs / 1000} s while loading. Raise limits.loadStall if its disk is that slow.`,
  };
}
export function loadTooLong(model: string, limits: RunnerLimits): Failure {
  return {
    code: 'load_stalled',
    message: `${model} was not ready after ${limits.loadTotalMs / 1000} s (limits.load).`,
  };
}
export function notReady(model: string, error: unknown): Failure {
  return { code: 'load_failed', message: `${model} started but did not become ready: ${textOf(error)}` };
}
export function crashed(model: string, message: string): Failure {
  return { code: 'runner_crashed', message: `${model} crashed: ${message}` };
}
export function unresponsive(model: string, message: string): Failure {
  return { code: 'runner_unresponsive', message: `${model} stopped answering: ${message}` };
}
export function launcherBroke(model: string, error: unknown): Failure {
  return { code: 'spawn_failed', message: `${model} could not be started: ${textOf(error)}` };
}
