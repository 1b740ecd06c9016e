import type { KeepAlive, ModelSpec } from '../../../machines/vocabulary.ts';
import { aModel, GIB } from '../pool.ts';
import { NAMES, type ModelShape, type Script, type StepOf } from './script.ts';

/** GPUs first, then main memory. */
export const deviceId = (index: number, gpus: number): string => (index < gpus ? `GPU${index}` : 'CPU');
export const keepAliveOf = (ms: number | null): KeepAlive => ms ?? 'forever';
export const limitOf = (ms: number | null): number => ms ?? Infinity;

/** The models of a script as they are configured at present, with what was learned of their needs. */
export class Models {
  readonly #specs = new Map<string, ModelSpec>();
  readonly #measured = new Map<string, number>();

  constructor({ models, gpus, pace }: Pick<Script, 'models' | 'gpus' | 'pace'>) {
    for (const [i, name] of NAMES.entries()) {
      const shape = models[i];
      if (shape) this.#specs.set(name, configured(name, i, shape, { gpus: gpus.length, pace }));
    }
  }

  get all(): readonly ModelSpec[] {
    return [...this.#specs.keys()].flatMap((name) => this.of(name) ?? []);
  }

  /** As a request asks for it: with another context if it wants one, where that is not Corral's to choose. */
  of(name: string, contextTokens: number | null = null): ModelSpec | undefined {
    const spec = this.#specs.get(name);
    if (!spec || contextTokens === null || spec.contexts) return spec && this.asLearned(spec);
    const launch = { ...spec.launch, contextTokens };
    return this.asLearned({ ...spec, classKey: `${spec.classKey}/${contextTokens}`, launch });
  }

  /** With what it was seen to need, where its owner has not said it. */
  asLearned(spec: ModelSpec): ModelSpec {
    const needBytes = this.#measured.get(spec.classKey);
    return needBytes === undefined || spec.needSource === 'configured'
      ? spec
      : { ...spec, needBytes, needSource: 'measured' };
  }

  learn(classKey: string, needBytes: number): void {
    this.#measured.set(classKey, needBytes);
  }

  /** It becomes another model, is kept otherwise, or is there no more (null); one that is gone comes back. */
  reload({ model, becomes, gib }: StepOf<'reload'>): ModelSpec | null {
    const name = NAMES[model] ?? '';
    const before = this.#specs.get(name) ?? aModel(name, gib);
    if (becomes === 'gone') {
      this.#specs.delete(name);
      return null;
    }
    const kept: ModelSpec = { ...before, keepAlive: gib * 1_000 };
    this.#specs.set(name, becomes === 'kept' ? kept : another(before, gib));
    return this.of(name) ?? null;
  }
}

function another(before: ModelSpec, gib: number): ModelSpec {
  const { contexts: _, ...rest } = before;
  const { name, launch } = before;
  return {
    ...rest,
    classKey: `${name}@${gib}`,
    needBytes: gib * GIB,
    launch: { ...launch, modelPath: `/models/${name}-${gib}.gguf` },
  };
}

function configured(
  name: string,
  rank: number,
  shape: ModelShape,
  { gpus, pace }: { readonly gpus: number; readonly pace: number },
): ModelSpec {
  const { slots, layers, replicas, canShrink, spread, placement, pinned, reallyShare } = shape;
  const model = aModel(name, shape.gib);
  const contexts = [
    { contextTokens: 4096, needBytes: model.needBytes },
    { contextTokens: 2048, needBytes: model.needBytes / 2 },
  ];
  return {
    ...model,
    rank,
    replicas,
    spread,
    placement,
    pinned,
    ...(shape.comesBack && { comesBack: true }),
    launch: {
      ...model.launch,
      slots,
      ...(layers !== null && { layers }),
      ...(shape.conversations && { conversations: { fingerprint: name, bytesPerToken: 1 } }),
    },
    needSource: reallyShare === null ? 'configured' : 'predicted',
    loadEstimateMs: pace * shape.loadMs,
    keepAlive: keepAliveOf(shape.keepAliveMs),
    devices: shape.devices && [...new Set(shape.devices.map((index) => deviceId(index, gpus)))],
    ...(shape.keepAliveLimitMs !== null && { keepAliveLimit: shape.keepAliveLimitMs }),
    ...(shape.waitLimitMs !== null && { waitLimitMs: shape.waitLimitMs }),
    ...(canShrink && { contexts }),
  };
}
