import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { batchTokensFor } from '../../machines/planning/batch.ts';
import { contextSteps } from '../../machines/planning/context.ts';
import { fittedParts, type FitRow } from '../../machines/planning/fit-rows.ts';
import { predictNeed, type NeedOptions } from '../../machines/planning/memory-need.ts';
import { needParts, totalsOf, type NeedQuestion } from '../../machines/planning/need-parts.ts';
import type { ServerOptions } from '../../machines/planning/server-options.ts';
import type { LaunchOptions, ModelSpec, NeedPart } from '../../machines/vocabulary.ts';
import type { FitQuestion } from '../fit/fit-question.ts';
import { readModelFile, type ModelFile } from '../models/read-model-file.ts';
import { trainedOf, type Planned } from './launch-of.ts';

const MIB = 1024 ** 2;
/** Of llama-server, as it was measured: itself and what it uses to sample, and of each token of a vocabulary. */
const SERVER = { bytes: 16 * MIB, samplingBytes: 8 * MIB, bytesPerToken: 139, bytesPerTokenAndSlot: 12 };
/** Drafts that are checked at a time in a slot (llama.cpp's default). */
const DRAFTED_TOKENS = 3;
/** What the embedded runner's own program holds, measured with a model of 300 KB on Linux: 106 MB. */
const EMBEDDED_BYTES = 110 * MIB;

export type Need = Pick<
  ModelSpec,
  'needBytes' | 'needSource' | 'hostBytes' | 'needParts' | 'contexts' | 'expertsAside'
>;

/** Files that a process reads beside its model. */
export interface BesideFiles {
  readonly projectorBytes: number;
  readonly adapterBytes: number;
  readonly draft: ModelFile | null;
}

/** What lies beside a model. What is not there counts nothing: llama-server will say so. Throws a `ModelFileError` for a draft model that is none. */
export async function readBeside({ launch, options }: Planned): Promise<BesideFiles> {
  const { projectorPath, adapterPaths } = launch;
  const adapters = [...adapterPaths, ...options.scaledAdapterPaths];
  const sizes = await Promise.all([projectorPath, ...adapters].map(sizeOf));
  const { draftPath } = options;
  return {
    projectorBytes: sizes[0] ?? 0,
    adapterBytes: sizes.slice(1).reduce((sum, bytes) => sum + bytes, 0),
    draft: draftPath === undefined ? null : await readModelFile(resolve(draftPath)),
  };
}

const sizeOf = async (path: string | undefined): Promise<number> =>
  path === undefined
    ? 0
    : stat(path).then(
        ({ size }) => size,
        () => 0,
      );

/** A need as llama-fit-params tells it. */
export function fittedNeed(
  { predicted, unusedBytes }: Pick<FitQuestion, 'predicted' | 'unusedBytes'>,
  rows: readonly FitRow[],
): Pick<Need, 'needBytes' | 'needSource' | 'hostBytes' | 'needParts'> {
  const needParts = fittedParts(rows, predicted, unusedBytes);
  return { ...totalsOf(needParts), needSource: 'fit-params', needParts };
}

export interface NeedParts {
  readonly planned: Planned;
  readonly file: ModelFile;
  readonly beside: BesideFiles;
  /** As the configuration says, in all; null where it does not. */
  readonly configuredBytes: number | null;
  /** As an earlier load has shown; null before the first. */
  readonly measuredBytes: number | null;
  /** The same of what it holds of main memory beside that. */
  readonly measuredHostBytes: number | null;
}

/** Configured, else measured at an earlier load, else predicted. */
export function needOf(parts: NeedParts): Need {
  const { planned, file, beside, configuredBytes, measuredBytes, measuredHostBytes } = parts;
  const cacheBytes = (planned.launch.promptCacheMiB ?? 0) * MIB;
  if (configuredBytes !== null)
    return {
      needBytes: configuredBytes,
      needSource: 'configured',
      ...(cacheBytes > 0 && { hostBytes: cacheBytes }),
    };
  const predicted = partsOf(planned, planned.launch, file, beside);
  const { needBytes, hostBytes } = totalsOf(predicted);
  const aside = expertsAside(planned, file, beside);
  const host = hostBytes > 0 ? { hostBytes } : {};
  if (planned.isAuto) {
    const contexts = contextSteps(trainedOf(file)).map((contextTokens) => ({
      contextTokens,
      needBytes: totalsOf(partsOf(planned, { ...planned.launch, contextTokens }, file, beside)).needBytes,
    }));
    return { needBytes, needSource: 'predicted', needParts: predicted, ...host, contexts };
  }
  const rest = { needParts: predicted, ...host, ...(aside && { expertsAside: aside }) };
  if (measuredBytes !== null)
    return {
      ...rest,
      needBytes: measuredBytes,
      needSource: 'measured',
      ...(measuredHostBytes !== null && { hostBytes: measuredHostBytes }),
    };
  return { needBytes, needSource: 'predicted', ...rest };
}

/** With the experts in main memory, where Corral may choose that: there are some, and nothing is said of where they are to be. */
function expertsAside(planned: Planned, file: ModelFile, beside: BesideFiles): ModelSpec['expertsAside'] {
  const { options, placement, launch } = planned;
  const isFree = placement === 'gpu-or-cpu' || placement === 'cpu-if-full';
  const isSaid = options.cpuExpertLayers !== undefined || options.tensorPlaces.length > 0;
  if (!isFree || isSaid || launch.gpuLayers !== undefined) return undefined;
  const parts = partsOf(planned, { ...launch, expertsOnCpu: true }, file, beside);
  return parts.some((part) => part.of === 'experts') ? totalsOf(parts) : undefined;
}

function partsOf(
  planned: Planned,
  launch: LaunchOptions,
  file: ModelFile,
  { draft, projectorBytes, adapterBytes }: BesideFiles,
): readonly NeedPart[] {
  const given = planned.options;
  const isSaid = given.cpuExpertLayers !== undefined || given.tensorPlaces.length > 0;
  const options: ServerOptions =
    launch.expertsOnCpu && !isSaid ? { ...given, cpuExpertLayers: 'all' } : given;
  const { gpuLayers, embedding } = launch;
  const question: NeedQuestion = {
    model: file,
    need: needOptions(planned, launch),
    options,
    ...(gpuLayers !== undefined && { gpuLayers }),
    ...(draft && { draft }),
    projectorBytes,
    adapterBytes,
    promptCacheBytes: (launch.promptCacheMiB ?? 0) * MIB,
    runtimeBytes: launch.runtime === 'embedded' ? EMBEDDED_BYTES : 0,
    serverBytes: launch.runtime === 'embedded' ? 0 : serverBytes(launch, file),
    embedding,
  };
  return needParts(question);
}

function needOptions({ options }: Planned, launch: LaunchOptions): NeedOptions {
  const { cacheTypeK, cacheTypeV, flashAttention, fullWindows } = options;
  const { microBatchTokens = batchTokensFor(launch), batchTokens: most = Infinity } = options;
  const { contextTokens, slots } = launch;
  const batchTokens = Math.min(microBatchTokens, most);
  return {
    contextTokens,
    slots,
    batchTokens,
    ...(launch.runtime === 'llama-server' && { outputTokens: outputsOf(options, launch, batchTokens) }),
    ...(cacheTypeK !== undefined && { cacheTypeK }),
    ...(cacheTypeV !== undefined && { cacheTypeV }),
    ...(flashAttention !== undefined && { flashAttention }),
    ...(fullWindows !== undefined && { fullWindows }),
  };
}

/** The tokens of a batch that llama-server wants the logits of: all where it embeds, else those that it samples and those that were drafted. */
function outputsOf(
  { pooling = 'none', draftPath }: ServerOptions,
  { embedding, slots, contextTokens }: LaunchOptions,
  batchTokens: number,
): number {
  if (embedding || pooling !== 'none') return Math.min(batchTokens, slots * contextTokens);
  return Math.min(batchTokens, slots * (draftPath === undefined ? 1 : 1 + DRAFTED_TOKENS));
}

function serverBytes({ embedding, slots }: LaunchOptions, { shape: { vocabulary } }: ModelFile): number {
  const sampling = SERVER.samplingBytes + slots * vocabulary * SERVER.bytesPerTokenAndSlot;
  return SERVER.bytes + vocabulary * SERVER.bytesPerToken + (embedding ? 0 : sampling);
}

/** Of the compute buffers that llama-fit-params counts, what llama-server does not allocate; in bytes. */
export function unusedByServer(planned: Planned, { shape }: ModelFile): number {
  const { outputTokens, ...all } = needOptions(planned, planned.launch);
  const bytesWith = (options: NeedOptions): number => predictNeed(shape, options).computeBytes;
  return bytesWith(all) - bytesWith({ ...all, ...(outputTokens !== undefined && { outputTokens }) });
}
