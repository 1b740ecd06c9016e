import type { Reservation } from '../../machines/vocabulary.ts';
import { parseNvidiaSmi, type NvidiaGpu } from './nvidia-smi-parser.ts';
import { runTool } from './run-tool.ts';

const WITHIN_MS = 3_000;

/** The GPUs that nvidia-smi sees, in its order. Rejects when it has none to tell of. */
export async function readNvidia(nvidiaSmi: string, signal?: AbortSignal): Promise<readonly NvidiaGpu[]> {
  const options = { withinMs: WITHIN_MS, ...(signal && { signal }) };
  const { stdout, stderr } = await runTool(nvidiaSmi, ['-q', '-x'], options);
  const parsed = parseNvidiaSmi(stdout || stderr);
  if ('failure' in parsed) throw new Error(`nvidia-smi: ${parsed.failure.message}`);
  return parsed.report.gpus;
}

/** What one process holds, by CUDA device; null when nvidia-smi cannot tell, as in containers and on WSL. */
export async function nvidiaUseOf(nvidiaSmi: string, pid: number): Promise<Reservation | null> {
  const gpus = await readNvidia(nvidiaSmi).catch(() => []);
  const use = Object.fromEntries(
    gpus.flatMap((gpu) => {
      const own = gpu.processes.filter((process) => process.pid === pid && process.usedBytes !== null);
      const bytes = own.reduce((sum, { usedBytes }) => sum + (usedBytes ?? 0), 0);
      return bytes > 0 ? [[`CUDA${gpu.index}`, bytes]] : [];
    }),
  );
  return Object.keys(use).length > 0 ? use : null;
}
