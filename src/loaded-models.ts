import type { LedgerReader } from '../machines/scheduler/ledger-reader.ts';
import type { RunnerState } from '../machines/runner/contract.ts';
import { sumBytes } from '../machines/vocabulary.ts';

/** A model in memory, ready to serve or on its way out. */
export interface LoadedModel {
  readonly model: string;
  /** What it holds of all devices, and of those that are not the CPU. */
  readonly bytes: number;
  readonly gpuBytes: number;
  readonly contextTokens: number;
  /** Until its keep-alive ends, a whole keep-alive while it is in use; `Infinity` when it never ends. */
  readonly expiresInMs: number;
  readonly isLeaving: boolean;
}

const loadedStates: readonly RunnerState[] = ['ready', 'idle', 'expiring'];

/** What is loaded, in the order in which it was. */
export const loadedModels = (ledger: LedgerReader): readonly LoadedModel[] =>
  [...ledger.runners.values()]
    .filter(({ state, readyAtMs }) => loadedStates.includes(state) && readyAtMs !== null)
    .map(({ spec, state, reservation, keepAlive, pinned, stateSinceMs }) => {
      const onCpu = Object.entries(reservation).filter(([id]) => ledger.devices.get(id)?.kind === 'cpu');
      const bytes = sumBytes(reservation);
      const idleMs = state === 'idle' ? ledger.now() - stateSinceMs : 0;
      return {
        model: spec.name,
        bytes,
        gpuBytes: bytes - sumBytes(Object.fromEntries(onCpu)),
        contextTokens: spec.launch.contextTokens,
        expiresInMs: keepAlive === 'forever' || pinned ? Infinity : Math.max(0, keepAlive - idleMs),
        isLeaving: state === 'expiring',
      };
    });
