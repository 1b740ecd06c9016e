import { resolve } from 'node:path';
import { contextSteps } from '../../machines/planning/context.ts';
import { readArguments, type ServerOptions } from '../../machines/planning/server-options.ts';
import type { LaunchOptions, ModelSpec } from '../../machines/vocabulary.ts';
import type { ModelFile } from '../models/read-model-file.ts';
import { pathOf } from './path-of.ts';
import { configuredPromptCache, usualPromptCache } from './prompt-cache.ts';
import type { Config, ModelConfig } from './schema.ts';

export const DEFAULT_CONTEXT_TOKENS = 4_096;
export const DEFAULT_SLOTS = 4;

/** How a model is to run: what its keys say, and where its arguments say something of it, what they say. */
export interface Planned extends Pick<ModelSpec, 'placement' | 'devices' | 'spread'> {
  readonly launch: LaunchOptions;
  /** All that its arguments say. */
  readonly options: ServerOptions;
  /** In MiB, where the configuration says it. */
  readonly configuredCacheMiB: number | undefined;
  /** Corral chooses the context. */
  readonly isAuto: boolean;
}

export interface LaunchParts {
  readonly config: Config;
  readonly folder: string;
  readonly llamaServer: string | null;
  /** As much as Corral may use. */
  readonly mainMemoryBytes: number;
}

/** Keys and arguments of a model as one plan, so that nothing is passed twice, and nothing runs that was not planned. */
export function planOf(model: ModelConfig, file: ModelFile, parts: LaunchParts): Planned {
  const { config, folder, llamaServer } = parts;
  const { defaults } = config;
  const ownServer = model.llamaServer === undefined ? null : pathOf(folder, model.llamaServer);
  const server = ownServer ?? llamaServer;
  const { options, rest } = readArguments(model.args ?? defaults.args ?? []);
  const wanted = model.runtime ?? defaults.runtime ?? 'auto';
  const useServer = wanted === 'llama-server' || (wanted === 'auto' && server !== null);
  const reranking = useServer && isReranking(model, options, file);
  const embedding =
    reranking ||
    options.embedding === true ||
    (model.kind === 'auto' ? file.isEmbedding : model.kind === 'embedding');
  const slots = slotsOf(options, model.slots ?? (embedding ? 1 : (defaults.slots ?? DEFAULT_SLOTS)));
  const { contextTokens, isAuto } = contextOf(model.context ?? defaults.context, options, slots, file);
  const configuredCacheMiB = configuredPromptCache(options, model, config);
  // A server that only embeds keeps no prompts.
  const cacheMiB = embedding ? 0 : (configuredCacheMiB ?? usualPromptCache(parts.mainMemoryBytes));
  const layers = file.shape.layers + 1;
  const place = placeOf(model, options, { useServer, usual: defaults.placement ?? 'gpu-or-cpu' });
  const projectorPath = projectorOf(model, options, folder);
  const gpuLayers = options.gpuLayers === 'all' ? layers : (options.gpuLayers ?? layers);
  return {
    launch: {
      runtime: useServer ? 'llama-server' : 'embedded',
      ...(useServer && { binary: server ?? 'llama-server' }),
      ...(useServer && model.wrapper && { wrapper: model.wrapper }),
      ...(Object.keys(model.env).length > 0 && { env: model.env }),
      modelPath: file.path,
      ...(projectorPath !== undefined && { projectorPath }),
      adapterPaths: [
        ...model.adapters.map((path) => pathOf(folder, path)),
        ...options.adapterPaths.map((path) => resolve(path)),
      ],
      contextTokens,
      layers,
      slots,
      embedding,
      ...(reranking && { reranking }),
      ...(useServer && { promptCacheMiB: cacheMiB }),
      ...(place.placement === 'experts-on-cpu' && { expertsOnCpu: true }),
      ...(gpuLayers > 0 && gpuLayers < layers && { gpuLayers }),
      extraArgs: [...rest, ...mainGpuOf(options)],
    },
    options,
    configuredCacheMiB,
    isAuto,
    ...place,
    ...spreadOf(model.spread ?? defaults.spread, options),
  };
}

export const trainedOf = ({ shape }: ModelFile): number =>
  shape.trainedContextTokens || DEFAULT_CONTEXT_TOKENS;

/** A model that ranks says so in its file; a server of it that only embeds has no way to be asked for that. */
const isReranking = (
  { kind }: ModelConfig,
  { reranking, pooling, embedding }: ServerOptions,
  file: ModelFile,
): boolean =>
  reranking ?? (pooling === undefined && embedding === undefined && kind === 'auto' && file.isReranker);

/** It means something only where each layer lies on several devices. */
const mainGpuOf = ({ mainGpu, splitMode }: ServerOptions): string[] =>
  mainGpu !== undefined && (splitMode === 'row' || splitMode === 'tensor')
    ? ['--main-gpu', String(mainGpu)]
    : [];

/** -1 leaves it to llama-server, and so to Corral. */
const slotsOf = ({ slots = -1 }: ServerOptions, configured: number): number =>
  slots > 0 ? slots : configured;

/** `-c` is shared out over all slots, a key is for each. */
function contextOf(
  configured: number | 'auto' | undefined,
  { totalContextTokens }: ServerOptions,
  slots: number,
  file: ModelFile,
): { readonly contextTokens: number; readonly isAuto: boolean } {
  const trained = trainedOf(file);
  if (totalContextTokens !== undefined)
    return {
      contextTokens: Math.max(1, Math.floor((totalContextTokens || trained) / slots)),
      isAuto: false,
    };
  if (configured === 'auto') return { contextTokens: Math.max(...contextSteps(trained)), isAuto: true };
  return { contextTokens: configured ?? Math.min(trained, DEFAULT_CONTEXT_TOKENS), isAuto: false };
}

/** Relative to where Corral was started, as llama-server would take it. */
const projectorOf = (
  { projector }: ModelConfig,
  { projectorPath }: ServerOptions,
  folder: string,
): string | undefined => {
  if (projectorPath !== undefined) return resolve(projectorPath);
  return projector === undefined ? undefined : pathOf(folder, projector);
};

function placeOf(
  model: ModelConfig,
  { gpuLayers, devices, splitMode, mainGpu }: ServerOptions,
  { useServer, usual }: { readonly useServer: boolean; readonly usual: ModelSpec['placement'] },
): Pick<Planned, 'placement' | 'devices'> {
  const isOnCpu = !useServer || gpuLayers === 0 || devices?.length === 0;
  const listed = devices !== undefined && devices.length > 0 ? devices : null;
  // With --split-mode none, --main-gpu counts through the listed devices.
  const only = splitMode === 'none' && mainGpu !== undefined ? listed?.[mainGpu] : undefined;
  return {
    placement: isOnCpu ? 'cpu-only' : (model.placement ?? usual),
    devices: isOnCpu && devices?.length === 0 ? null : only ? [only] : (listed ?? model.devices ?? null),
  };
}

/** llama-server takes all devices that it is given, Corral as few as will do. */
function spreadOf(
  configured: boolean | undefined,
  { devices = [], splitMode, tensorSplit = [] }: ServerOptions,
): Pick<Planned, 'spread'> {
  if (splitMode === 'none') return { spread: false };
  if (devices.length > 1 || tensorSplit.filter((share) => share > 0).length > 1) return { spread: true };
  return configured === undefined ? {} : { spread: configured };
}
