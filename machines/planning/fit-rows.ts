import type { NeedPart } from '../vocabulary.ts';

/** What `llama-fit-params` says of one device, in bytes. */
export interface FitRow {
  /** `CUDA0`, `Vulkan1`…; `Host` is main memory. */
  readonly device: string;
  readonly modelBytes: number;
  readonly contextBytes: number;
  readonly computeBytes: number;
}

const HOST = 'Host';
const MIB = 1024 ** 2;
const ROW = /^(\S+) (\d+) (\d+) (\d+)\s*$/;
/** What the tool does not count, or counts of another process. */
const OTHERS: ReadonlySet<NeedPart['of']> = new Set([
  'projector',
  'adapters',
  'draft model',
  'prompt cache',
  'outputs',
  'checkpoints',
  'runtime',
]);

/**
 * Reads what `llama-fit-params --fit-print on` prints on its standard output: for each device that it would use, and last for main
 * memory, the MiB of weights, of the context and of the compute buffers. Null where that is not what it says.
 */
export function parseFitRows(stdout: string): readonly FitRow[] | null {
  const rows = stdout.split('\n').flatMap((line): FitRow[] => {
    const [, device, model, context, compute] = ROW.exec(line) ?? [];
    if (device === undefined) return [];
    const bytes = [model, context, compute].map((text) => roundedUp(Number(text)));
    const [modelBytes = 0, contextBytes = 0, computeBytes = 0] = bytes;
    return [{ device, modelBytes, contextBytes, computeBytes }];
  });
  const total = rows.reduce((sum, { modelBytes }) => sum + modelBytes, 0);
  return rows.at(-1)?.device === HOST && total > 0 ? rows : null;
}

/** The tool rounds down. */
const roundedUp = (mib: number): number => (mib === 0 ? 0 : (mib + 1) * MIB);

/**
 * The parts of a need as the tool tells them; what it does not count stays as it was predicted. `unusedBytes` is what it counts of compute
 * buffers that llama-server does not allocate: it takes it that each token of a batch has logits.
 */
export function fittedParts(
  told: readonly FitRow[],
  predicted: readonly NeedPart[],
  unusedBytes = 0,
): readonly NeedPart[] {
  const rows = withoutUnused(told, unusedBytes);
  // Without a GPU all of it is the model's own place, whatever that is.
  const hasGpu = rows.some(({ device }) => device !== HOST);
  const partsOf = ({ device, modelBytes, contextBytes, computeBytes }: FitRow): NeedPart[] => {
    const place = hasGpu && device === HOST ? { inMainMemory: true } : {};
    return [
      { of: 'weights', bytes: modelBytes, ...place },
      { of: 'KV cache', bytes: contextBytes, ...place },
      { of: 'compute buffers', bytes: computeBytes, ...place },
    ];
  };
  return [...rows.flatMap(partsOf), ...predicted.filter((part) => OTHERS.has(part.of))].filter(
    ({ bytes }) => bytes > 0,
  );
}

/** Logits are computed where the last layer is, which has the largest buffers by them. */
function withoutUnused(rows: readonly FitRow[], unusedBytes: number): readonly FitRow[] {
  const largest = Math.max(0, ...rows.map(({ computeBytes }) => computeBytes));
  return rows.map((row) =>
    row.computeBytes === largest ? { ...row, computeBytes: Math.max(0, largest - unusedBytes) } : row,
  );
}
