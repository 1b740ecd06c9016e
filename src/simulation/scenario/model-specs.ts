import type { KeepAlive, LaunchOptions, ModelSpec } from '../../../machines/vocabulary.ts';
import { given } from './given.ts';
import type { Scenario, ScenarioModel } from './schema.ts';
import type { ModelChange, Reload, Step } from './step-schema.ts';

const DEFAULT_CONTEXT_TOKENS = 4_096;
const DEFAULT_LOAD_MS = 5_000;
const DEFAULT_EXIT_MS = 200;

/** What a request may ask for beside what its model is configured with. */
export type Options = Pick<Step, 'context' | 'adapters' | 'projector' | 'args' | 'placement' | 'needs'>;

/** A scenario's models as the scheduler knows them: what is learned and changed on the way counts for later requests. */
export class ModelSpecs {
  readonly #models = new Map<string, ScenarioModel>();
  readonly #names = new Map<string, string>();
  readonly #measured = new Map<string, number>();
  readonly #maxQueue: number;
  readonly #preloaded: Set<string>;

  constructor(scenario: Scenario) {
    this.#maxQueue = scenario.settings.queue;
    this.#preloaded = new Set(scenario.preload);
    for (const [name, model] of Object.entries(scenario.models)) this.#add(name, model);
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

  /** A new configuration: the specs of the models that it adds or changes. */
  reload({ models, removed, preload }: Pick<Reload, 'models' | 'removed' | 'preload'>): readonly ModelSpec[] {
    for (const name of removed) this.#forget(name);
    for (const name of preload) this.#preloaded.add(name);
    for (const [name, model] of Object.entries(models)) {
      const before = this.#models.get(name);
      const { loads = before?.loads ?? DEFAULT_LOAD_MS, exits = before?.exits ?? DEFAULT_EXIT_MS } = model;
      this.#forget(name);
      this.#add(name, { ...model, loads, exits, really: model.really ?? before?.really });
    }
    return Object.keys(models).flatMap((name) => this.specOf(name) ?? []);
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
      rank: [...this.#models.keys()].indexOf(name),
      ...(this.#preloaded.has(name) && { comesBack: true }),
      ...(model.fileSize !== undefined && { fileBytes: model.fileSize }),
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

  #add(name: string, model: ScenarioModel): void {
    this.#models.set(name, model);
    for (const one of [name, ...model.aliases]) this.#names.set(one, name);
  }

  #forget(name: string): void {
    this.#models.delete(name);
    for (const [alias, model] of this.#names) if (model === name) this.#names.delete(alias);
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
  modelPath: model.file ?? `${name}.gguf`,
  ...(model.projector !== undefined && { projectorPath: model.projector }),
  adapterPaths: model.adapters ?? [],
  contextTokens: model.contexts?.[0]?.tokens ?? model.context ?? DEFAULT_CONTEXT_TOKENS,
  slots: model.slots,
  ...(model.layers !== undefined && { layers: model.layers }),
  embedding: false,
  extraArgs: model.args ?? [],
  ...(model.saves !== undefined && { conversations: { fingerprint: name, bytesPerToken: 1 } }),
});

/** Readable, and equal for all that one process is launched with. */
function classKeyOf(
  name: string,
  launch: LaunchOptions,
  { placement, devices, file }: ScenarioModel,
): string {
  const parts = [
    file,
    launch.contextTokens,
    ...launch.adapterPaths,
    launch.projectorPath,
    ...launch.extraArgs,
  ];
  const where = [placement, ...(devices ?? [])];
  return [name, ...parts, `x${launch.slots}`, ...where].filter((part) => part !== undefined).join(' ');
}
