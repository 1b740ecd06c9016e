import { withContextFor, withLessContext } from '../planning/context.ts';
import type { DeviceView } from '../planning/view.ts';
import type { ModelSpec } from '../vocabulary.ts';

/** The contexts that Corral chooses: what fits the GPUs, and less for a class that ran out of memory with it. */
export class ContextTable {
  readonly #lowered = new Map<string, ModelSpec>();

  fitted(spec: ModelSpec, devices: Iterable<DeviceView>): ModelSpec {
    if (spec.contexts === undefined) return spec;
    const lowered = this.#lowered.get(spec.classKey);
    if (lowered === undefined) return withContextFor(spec, devices);
    // All but the context may have been configured anew since.
    return { ...spec, launch: lowered.launch, needBytes: lowered.needBytes };
  }

  /** The class with less context, from now on; null where it cannot be lowered any more. */
  lower(spec: ModelSpec): ModelSpec | null {
    const lower = withLessContext(spec);
    if (lower) this.#lowered.set(spec.classKey, lower);
    return lower;
  }
}
