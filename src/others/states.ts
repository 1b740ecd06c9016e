import type { RunnerState } from '../../machines/runner/contract.ts';

/** llama-swap's words. */
type ProcessState = 'stopped' | 'starting' | 'ready' | 'stopping';

const words: Readonly<Record<RunnerState, ProcessState>> = {
  loading: 'starting',
  ready: 'ready',
  idle: 'ready',
  expiring: 'stopping',
  unloading: 'stopping',
  'vram-recovering': 'stopping',
  failed: 'stopped',
  gone: 'stopped',
};

/** The state of a runner as llama-swap calls it. */
export const processStateOf = (state: RunnerState): ProcessState => words[state];
