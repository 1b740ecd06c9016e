import { createHash } from 'node:crypto';
import { batchTokensFor } from '../../machines/planning/batch.ts';
import { readArguments } from '../../machines/planning/server-options.ts';
import type { LaunchOptions, ModelSpec, NeedPart } from '../../machines/vocabulary.ts';
import type { FitTool } from './fit-tool.ts';

/** What `llama-fit-params` is asked of a model. */
export interface FitQuestion {
  /** Equal for equal questions about the same file to the same program. */
  readonly key: string;
  readonly args: readonly string[];
  /** As the formula has it: for what the tool does not count. */
  readonly predicted: readonly NeedPart[];
  /** What the tool counts of compute buffers that llama-server does not allocate. */
  readonly unusedBytes: number;
}

/** A file as it is now. */
export interface FileMark {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

/** The arguments of llama-server that change the figures, of those that the tool knows as well; true: with a value. */
const TELLING: ReadonlyMap<string, boolean> = new Map([
  ...['-ctk', '--cache-type-k', '-ctv', '--cache-type-v', '-fa', '--flash-attn', '-ot'].map(
    (name) => [name, true] as const,
  ),
  ...['--override-tensor', '-ncmoe', '--n-cpu-moe', '-ncffn', '--n-cpu-ffn', '--override-kv'].map(
    (name) => [name, true] as const,
  ),
  ...['-cmoe', '--cpu-moe', '--swa-full', '-nkvo', '--no-kv-offload', '--no-host', '--no-op-offload'].map(
    (name) => [name, false] as const,
  ),
]);

/** What to ask of a model as it is going to run; null of one that only embeds, whose server works in another way. */
export function fitQuestionOf(
  { launch, placement, devices }: Pick<ModelSpec, 'launch' | 'placement' | 'devices'>,
  { predicted, unusedBytes }: Pick<FitQuestion, 'predicted' | 'unusedBytes'>,
  file: FileMark,
  tool: FitTool,
): FitQuestion | null {
  if (launch.runtime !== 'llama-server' || launch.embedding) return null;
  const args = argumentsOf(launch, placement === 'cpu-only', devices?.[0]);
  const facts = [tool.path, tool.bytes, tool.modifiedAtMs, file.path, file.bytes, file.modifiedAtMs, ...args];
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
  return { key, args, predicted, unusedBytes };
}

function argumentsOf(launch: LaunchOptions, isOnCpu: boolean, device: string | undefined): string[] {
  const { contextTokens, slots, extraArgs, gpuLayers = 999 } = launch;
  const { microBatchTokens = batchTokensFor(launch), batchTokens } = readArguments(extraArgs).options;
  const size = Math.max(2_048, microBatchTokens);
  const place = isOnCpu
    ? ['--device', 'none', '-ngl', '0']
    : [...(device === undefined ? [] : ['--device', device]), '-ngl', String(gpuLayers), '-sm', 'none'];
  return [
    '--model',
    launch.modelPath,
    '-c',
    String(contextTokens * slots),
    '-np',
    String(slots),
    '-ub',
    String(microBatchTokens),
    '-b',
    String(batchTokens ?? size),
    ...place,
    ...(launch.expertsOnCpu ? ['--cpu-moe'] : []),
    ...telling(extraArgs),
    // What it repacks for the processor it would not count.
    '--no-repack',
    '--offline',
    '--fit-print',
    'on',
  ];
}

function telling(args: readonly string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const name = args[i] ?? '';
    const takesValue = TELLING.get(name);
    if (takesValue === undefined) continue;
    const value = takesValue ? args[++i] : undefined;
    found.push(name, ...(value === undefined ? [] : [value]));
  }
  return found;
}
