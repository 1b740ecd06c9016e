import type { KeepAlive, LaunchOptions, ModelSpec } from '../../../machines/vocabulary.ts';
import type { Scenario, ScenarioModel } from './schema.ts';
import type { ModelChange, Step } from './step-schema.ts';

const DEFAULT_CONTEXT_TOKENS = 4_096;

/** What a request may ask for beside what its model is configured with. */
export type Options = Pick<Step, 'context' | 'adapters' | 'projector' | 'args' | 'placement' | 'needs'>;

/** A scenario's models as the scheduler knows them: what is learned and changed on the way counts for later requests. */
export class ModelSpecs {
  readonly #models: Map<string, ScenarioModel>;
  readonly #names = new Map<string, string>();
  readonly #measured = new Map<string, number>();
  readonly #maxQueue: number;

  constructor(scenario: Scenario) {
    this.#models = new Map(Object.entries(scenario.models));
    this.#maxQueue = scenario.settings.queue;
    for (const [name, { aliases }] of this.#models)
      for (const one of [name, ...aliases]) this.#names.set(one, name);
  }

  /** The configured name behind a name or alias. */
  nameOf(name: string): string {
    return this.#names.get(name) ?? name;
  }

  modelOf(name: string): ScenarioModel | undefined {
    return this.#models.get(this.nameOf(name));
  }

  change(name: string, to: ModelChange): void {
    const model = this.modelOf(name);
    if (model) this.#models.set(this.nameOf(name), { ...model, ...given(to) });
  }

  /** From now on what was measured replaces what was predicted. */
  learn(classKey: string, needBytes: number): void {
    this.#measured.set(classKey, needBytes);
  }

  specOf(alias: string, options: Options = {}): ModelSpec | undefined {
    const configured = this.modelOf(alias);
    if (!configured) return undefined;
    const name = this.nameOf(alias);
    const model: ScenarioModel = { ...configured, ...given(options) };
    const launch = launchOf(name, model);
    const classKey = classKeyOf(name, launch, model);
    return {
      name,
      classKey,
      launch,
      ...this.#needOf(model, classKey),
      keepAlive: keepAliveOf(model.keepAlive),
      pinned: model.pin,
      devices: model.devices ?? null,
      placement: model.placement ?? 'gpu-or-cpu',
      loadEstimateMs: model.estimate ?? model.loads,
      maxQueue: model.maxQueue ?? this.#maxQueue,
      ...(model.wait !== undefined && { waitLimitMs: model.wait }),
      ...(model.keepAliveLimit !== undefined && { keepAliveLimit: keepAliveOf(model.keepAliveLimit) }),
      ...(model.priority !== undefined && { priority: model.priority }),
      ...(model.spread !== undefined && { spread: model.spread }),
      ...(model.replicas !== undefined && { replicas: model.replicas }),
      ...(model.contexts && {
        contexts: model.contexts.map(({ tokens, needs }) => ({ contextTokens: tokens, needBytes: needs })),
      }),
    };
  }

  #needOf(model: ScenarioModel, classKey: string): Pick<ModelSpec, 'needBytes' | 'needSource'> {
    if (model.really === undefined) return { needBytes: model.needs, needSource: 'configured' };
    const needBytes = this.#measured.get(classKey);
    return needBytes === undefined
      ? { needBytes: model.needs, needSource: 'predicted' }
      : { needBytes, needSource: 'measured' };
  }
}

export const keepAliveOf = (ms: number): KeepAlive => (ms === Infinity ? 'forever' : ms);

const launchOf = (name: string, model: ScenarioModel): LaunchOptions => ({
  runtime: 'llama-server',
  modelPath: `${name}.gguf`,
  ...(model.projector !== undefined && { projectorPath: model.projector }),
  adapterPaths: model.adapters ?? [],
  contextTokens: model.contexts?.[0]?.tokens ?? model.context ?? DEFAULT_CONTEXT_TOKENS,
  slots: model.slots,
  ...(model.layers !== undefined && { layers: model.layers }),
  embedding: false,
  extraArgs: model.args ?? [],
});

/** Readable, and equal for all that one process is launched with. */
function classKeyOf(name: string, launch: LaunchOptions, { placement, devices }: ScenarioModel): string {
  const parts = [launch.contextTokens, ...launch.adapterPaths, launch.projectorPath, ...launch.extraArgs];
  const where = [placement, ...(devices ?? [])];
  return [name, ...parts, `x${launch.slots}`, ...where].filter((part) => part !== undefined).join(' ');
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that were left out, so that they override nothing. */
const given = <T extends object>(value: T): Given<T> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Given<T>;
