import type { ModelSpec } from '../../machines/vocabulary.ts';
import type { ModelConfig } from './schema.ts';

/** What a configuration says of a model's memory: how much in all, and where, if it says that. */
export interface SaidMemory {
  /** Null where it says nothing. */
  readonly bytes: number | null;
  readonly hostBytes: number;
  /** Empty where it says nothing of devices. */
  readonly place: Partial<Pick<ModelSpec, 'placement' | 'devices' | 'spread' | 'shares'>>;
}

const MAIN = 'CPU';

/** Of one figure, or of one for each device; what is said of main memory beside GPUs is needed there in any case. */
export function saidMemory({ memory }: Pick<ModelConfig, 'memory'>): SaidMemory {
  if (memory === undefined || typeof memory === 'number')
    return { bytes: memory ?? null, hostBytes: 0, place: {} };
  const { [MAIN]: hostBytes = 0, ...shares } = memory;
  const devices = Object.keys(shares);
  if (devices.length === 0) return { bytes: hostBytes, hostBytes: 0, place: { placement: 'cpu-only' } };
  const bytes = Object.values(shares).reduce((sum, some) => sum + some, 0);
  return { bytes, hostBytes, place: { devices, shares, ...(devices.length > 1 && { spread: true }) } };
}
