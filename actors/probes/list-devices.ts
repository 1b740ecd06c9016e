import type { DeviceReading } from '../../machines/vocabulary.ts';
import { runTool } from './run-tool.ts';

const MIB = 1024 ** 2;
/** It starts the GPU runtimes: up to a second each, much more on a cold driver. */
export const LIST_WITHIN_MS = 20_000;
/** `  CUDA0: NVIDIA GeForce RTX 3090 (24576 MiB, 24000 MiB free)`; ids and names may hold brackets and colons. */
const DEVICE = /^\s+(\S+): (.*) \((\d+) MiB, (\d+) MiB free\)\s*$/;
const INTEGRATED =
  /\b(iGPU|integrated|UHD|Iris|Vega \d+ Graphics|Radeon (\w+ )?Graphics|Radeon \d+[MS]|GB10|Orin|Thor)\b|^Apple/i;

/** Of these nothing is set aside in main memory, as may be for an AMD APU, where the kernel knows (`amd-shared.ts`). */
const WITHOUT_OWN_MEMORY = /\b(UHD|Iris|Intel.*Graphics|GB10|Orin|Thor)\b|^Apple/i;

/** Guesses from its name whether a GPU is part of the processor. */
export const isIntegrated = (name: string): boolean => INTEGRATED.test(name);

/** Reads `llama-server --list-devices`. Log lines before and between are passed over; so are devices without memory. */
export function parseListDevices(output: string): DeviceReading[] {
  return output.split(/\r?\n/).flatMap((line) => {
    const [, id, name, total, free] = DEVICE.exec(line) ?? [];
    if (id === undefined || name === undefined || Number(total) === 0) return [];
    const library = /^[A-Za-z]+/.exec(id)?.[0] ?? id;
    const isMetal = library === 'Metal' || library === 'MTL';
    const isShared = isMetal || (isIntegrated(name) && WITHOUT_OWN_MEMORY.test(name));
    return {
      id,
      name,
      library,
      kind: isMetal || isIntegrated(name) ? 'integrated' : 'discrete',
      ...(isShared && { sharesMainMemory: true }),
      totalBytes: Number(total) * MIB,
      // Some versions tell main memory's free bytes for a GPU that has its own.
      freeBytes: Math.min(Number(free), Number(total)) * MIB,
    };
  });
}

/** The devices that a llama-server would really use: the one list that counts. Rejects when it fails or takes over 20 s. */
export async function listDevices(
  llamaServer: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<readonly DeviceReading[]> {
  const { stdout, stderr, exitCode } = await runTool(llamaServer, ['--list-devices'], {
    withinMs: LIST_WITHIN_MS,
    env,
  });
  if (exitCode !== 0)
    throw new Error(`${llamaServer} --list-devices ended with ${exitCode}: ${stderr.trim().slice(-200)}`);
  return parseListDevices(stdout);
}
