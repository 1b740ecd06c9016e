import type { NeedPart } from '../vocabulary.ts';
import { predictNeed, type ModelShape, type NeedOptions } from './memory-need.ts';
import type { ServerOptions } from './server-options.ts';

/** A tensor of a model's file. */
export interface SizedTensor {
  readonly name: string;
  readonly bytes: number;
}

/** What a file tells of the memory that its model needs. */
export interface SizedModel {
  readonly shape: ModelShape;
  /** Those that the header lists; of a split model they may be a part of all. */
  readonly tensors: readonly SizedTensor[];
}

/** What one process is to run. */
export interface NeedQuestion {
  readonly model: SizedModel;
  readonly need: NeedOptions;
  readonly options: ServerOptions;
  /** Layers on GPUs, the output included; absent: all. */
  readonly gpuLayers?: number;
  readonly draft?: SizedModel;
  /** Of the files; 0 without any. */
  readonly projectorBytes: number;
  readonly adapterBytes: number;
  /** The most that prompts may take of main memory. */
  readonly promptCacheBytes: number;
  /** What the program itself holds where its layers are. */
  readonly runtimeBytes: number;
  /** The same of one whose layers may be elsewhere. */
  readonly serverBytes?: number;
  /** It makes vectors, of each token of a batch. */
  readonly embedding?: boolean;
}

/** llama.cpp's own pattern of expert weights (common.h, LLM_FFN_EXPS_REGEX). */
const EXPERTS = /\.ffn_(?:up|down|gate|gate_up)_(?:ch|)exps/;
const LAYER = /^blk\.(\d+)\./;

/**
 * What a process needs, part by part, and which of it lies in main memory though its layers are on GPUs: experts and tensors that
 * arguments put there, layers that do not go to a GPU, a cache that stays behind (`--no-kv-offload`), and what is there in any case: prompts, what has been computed
 * of tokens, states to go back to, the program itself. Projector and adapters count as
 * large as their files are.
 */
export function needParts(question: NeedQuestion): readonly NeedPart[] {
  const {
    model,
    need,
    options,
    draft,
    projectorBytes,
    adapterBytes,
    promptCacheBytes,
    runtimeBytes,
    serverBytes = 0,
  } = question;
  const { shape } = model;
  const whole = predictNeed(shape, need);
  const weights = weightsOf(question);
  const hostKvBytes = hostKv(question, whole.kvBytes);
  const draftBytes = draft ? draftNeed(draft, need, options) : 0;
  const isDraftOnCpu = options.draftGpuLayers === 0;
  // Experts come to the GPU for long prompts, those of a layer at a time (llama.cpp's op offload).
  const computeBytes = whole.computeBytes + weights.visitingBytes;
  const beside = besideLayers(question);
  const parts: readonly NeedPart[] = [
    { of: 'weights', bytes: weights.deviceBytes },
    { of: 'weights', bytes: weights.hostLayerBytes, inMainMemory: true },
    { of: 'experts', bytes: weights.hostExpertBytes, inMainMemory: true },
    { of: 'KV cache', bytes: whole.kvBytes - hostKvBytes },
    { of: 'KV cache', bytes: hostKvBytes, inMainMemory: true },
    { of: 'compute buffers', bytes: computeBytes },
    // Layers on the CPU compute there.
    { of: 'compute buffers', bytes: isPartial(question) ? whole.computeBytes : 0, inMainMemory: true },
    { of: 'projector', bytes: projectorBytes, inMainMemory: options.projectorOffload === false },
    { of: 'adapters', bytes: adapterBytes },
    { of: 'draft model', bytes: draftBytes, inMainMemory: isDraftOnCpu },
    { of: 'prompt cache', bytes: promptCacheBytes, inMainMemory: true },
    { of: 'outputs', bytes: beside.outputBytes, inMainMemory: true },
    { of: 'checkpoints', bytes: beside.checkpointBytes, inMainMemory: true },
    { of: 'runtime', bytes: runtimeBytes },
    { of: 'runtime', bytes: serverBytes, inMainMemory: true },
  ];
  return parts
    .filter(({ bytes }) => bytes > 0)
    .map(({ inMainMemory, ...part }) => (inMainMemory ? { ...part, inMainMemory } : part));
}

/** The sums of parts. */
export function totalsOf(parts: readonly NeedPart[]): {
  readonly needBytes: number;
  readonly hostBytes: number;
} {
  const sum = (some: readonly NeedPart[]): number =>
    Math.ceil(some.reduce((bytes, part) => bytes + part.bytes, 0));
  return {
    needBytes: sum(parts.filter(({ inMainMemory }) => !inMainMemory)),
    hostBytes: sum(parts.filter(({ inMainMemory }) => inMainMemory)),
  };
}

interface Weights {
  readonly deviceBytes: number;
  readonly hostLayerBytes: number;
  readonly hostExpertBytes: number;
  /** Of the experts in main memory, those of the largest layer. */
  readonly visitingBytes: number;
}

function weightsOf(question: NeedQuestion): Weights {
  const { model, options } = question;
  const places = placesOf(options);
  let listedBytes = 0;
  let hostLayers = 0;
  let hostExperts = 0;
  const visiting = new Map<number, number>();
  for (const { name, bytes } of model.tensors) {
    listedBytes += bytes;
    const layer = layerOf(name);
    const isOnHost = layer !== null && layer < firstOnGpu(question);
    if (isOnHost) hostLayers += bytes;
    else if (places.find(({ pattern }) => pattern.test(name))?.isCpu) {
      hostExperts += bytes;
      if (layer !== null) visiting.set(layer, (visiting.get(layer) ?? 0) + bytes);
    }
  }
  // Where the header lists only a part, the others are taken to be alike.
  const { weightsBytes } = model.shape;
  const scale = listedBytes > 0 ? Math.max(1, weightsBytes / listedBytes) : 1;
  const hostLayerBytes = Math.min(weightsBytes, hostLayers * scale);
  const hostExpertBytes = Math.min(weightsBytes - hostLayerBytes, hostExperts * scale);
  return {
    deviceBytes: weightsBytes - hostLayerBytes - hostExpertBytes,
    hostLayerBytes,
    hostExpertBytes,
    visitingBytes: Math.max(0, ...visiting.values()),
  };
}

interface Place {
  readonly pattern: RegExp;
  readonly isCpu: boolean;
}

/** Of several that match, the first counts. */
function placesOf({ tensorPlaces, cpuExpertLayers = 0 }: ServerOptions): readonly Place[] {
  const given = tensorPlaces.flatMap(({ pattern, buffer }) => {
    const found = regExpOf(pattern);
    return found ? [{ pattern: found, isCpu: /^CPU/i.test(buffer) }] : [];
  });
  if (cpuExpertLayers === 'all') return [...given, { pattern: EXPERTS, isCpu: true }];
  const first = Array.from({ length: Math.min(cpuExpertLayers, MOST_LAYERS) }, (_, layer) => ({
    pattern: new RegExp(`blk\\.${layer}${EXPERTS.source}`),
    isCpu: true,
  }));
  return [...given, ...first];
}

/** More than any model has. */
const MOST_LAYERS = 512;

/** Null for what is none: llama-server will say so. */
function regExpOf(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern);
  } catch {
    return null;
  }
}

const layerOf = (name: string): number | null => {
  const found = LAYER.exec(name)?.[1];
  return found === undefined ? null : Number(found);
};

/** The first layers are those that stay behind. */
const firstOnGpu = ({ model: { shape }, gpuLayers }: NeedQuestion): number =>
  gpuLayers === undefined ? 0 : Math.max(0, shape.layers + 1 - gpuLayers);

const isPartial = (question: NeedQuestion): boolean => firstOnGpu(question) > 0;

function hostKv(question: NeedQuestion, kvBytes: number): number {
  const { model, need, options } = question;
  if (options.kvOffload === false) return kvBytes;
  const first = firstOnGpu(question);
  if (first === 0) return 0;
  const { shape } = model;
  const behind = {
    ...shape,
    attention: shape.attention.slice(0, first),
    recurrentBytesPerSlot: (shape.recurrentBytesPerSlot * first) / Math.max(1, shape.layers),
  };
  return Math.min(kvBytes, predictNeed(behind, need).kvBytes);
}

/** A draft model has as much context in as many slots as the one that it drafts for. */
function draftNeed({ shape }: SizedModel, need: NeedOptions, options: ServerOptions): number {
  const { contextTokens, slots, batchTokens, flashAttention } = need;
  const { draftCacheTypeK, draftCacheTypeV } = options;
  return predictNeed(shape, {
    contextTokens,
    slots,
    ...(batchTokens !== undefined && { batchTokens }),
    ...(flashAttention !== undefined && { flashAttention }),
    ...(draftCacheTypeK !== undefined && { cacheTypeK: draftCacheTypeK }),
    ...(draftCacheTypeV !== undefined && { cacheTypeV: draftCacheTypeV }),
  }).totalBytes;
}

/**
 * llama-server keeps states to go back to of what it cannot take back token by token: in each slot one before the last batch of a prompt, one within
 * it, and one at the last question. One more for each 8,192 tokens of a long conversation is seen when it is there.
 */
const MOST_CHECKPOINTS = 32;

/** What a server keeps in main memory beside its layers: logits and vectors of the tokens that have some, and states to go back to. */
function besideLayers({ model: { shape }, need, options, embedding = false }: NeedQuestion): {
  readonly outputBytes: number;
  readonly checkpointBytes: number;
} {
  const { contextTokens, slots, outputTokens = 0, fullWindows = false } = need;
  const perToken = 4 * (shape.vocabulary + (embedding ? shape.embeddingLength : 0));
  const sliding = shape.attention.reduce(
    (bytes, { windowTokens, kvHeads, keyLength, valueLength }) =>
      windowTokens === null || fullWindows
        ? bytes
        : bytes + 2 * Math.min(windowTokens, contextTokens) * kvHeads * (keyLength + valueLength),
    0,
  );
  const ofPrompt = contextTokens > (need.batchTokens ?? 0) ? 2 : 1;
  const count = Math.min(options.checkpoints ?? MOST_CHECKPOINTS, ofPrompt + 1);
  return {
    outputBytes: outputTokens * perToken,
    checkpointBytes: embedding ? 0 : slots * count * (sliding + shape.recurrentBytesPerSlot),
  };
}
