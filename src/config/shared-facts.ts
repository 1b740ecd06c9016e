import type { ModelLimits, ModelSpec } from '../../machines/vocabulary.ts';
import type { Config, ModelConfig } from './schema.ts';

const DEFAULT_KEEP_ALIVE_MS = 300_000;
/** A container's service takes its time to end one. */
const TERMINATE_WITH_STOP_MS = 30_000;

type SharedFacts = Pick<
  ModelSpec,
  | 'keepAlive'
  | 'pinned'
  | 'comesBack'
  | 'maxQueue'
  | 'waitLimitMs'
  | 'keepAliveLimit'
  | 'replicas'
  | 'priority'
  | 'limits'
>;

/** What a configuration says of a model whatever serves it: how long it stays, who waits for it, and how long. */
export function sharedFacts(name: string, model: ModelConfig, config: Config): SharedFacts {
  const { defaults, limits } = config;
  return {
    keepAlive: keepAliveOf(model.keepAlive ?? defaults.keepAlive ?? DEFAULT_KEEP_ALIVE_MS),
    pinned: model.pin,
    maxQueue: model.maxQueue ?? defaults.maxQueue ?? limits.queue,
    ...definedOnly({
      waitLimitMs: model.wait ?? defaults.wait,
      keepAliveLimit: limitOf(model.keepAliveLimit ?? defaults.keepAliveLimit),
      replicas: model.replicas ?? defaults.replicas,
      priority: model.priority ?? defaults.priority,
      limits: limitsOf(model),
      // What is loaded from the start, or serves whoever names no model, is not to be gone for good because of one request for another.
      comesBack: model.preload || config.defaultModel === name || undefined,
    }),
  };
}

function limitsOf({ limits = {}, stop }: ModelConfig): ModelLimits | undefined {
  const own = definedOnly({
    loadTotalMs: limits.load,
    loadStallMs: limits.loadStall,
    terminateGraceMs: limits.terminate ?? (stop && TERMINATE_WITH_STOP_MS),
  });
  return Object.keys(own).length > 0 ? own : undefined;
}

const limitOf = (ms: number | undefined): ModelSpec['keepAlive'] | undefined =>
  ms === undefined ? undefined : keepAliveOf(ms);

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is undefined. */
export const definedOnly = <T extends object>(value: T): Defined<T> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Defined<T>;

const keepAliveOf = (ms: number): ModelSpec['keepAlive'] => (ms === Infinity ? 'forever' : ms);
