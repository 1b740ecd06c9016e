import type { PolicyName } from '../../../machines/planning/view.ts';
import type { ConfigChange } from '../../../machines/scheduler/contract.ts';
import type { World } from '../world.ts';
import type { ModelSpecs } from './model-specs.ts';
import type { Scenario } from './schema.ts';
import { behaviourOf, settingsOf } from './stage.ts';
import type { Reload } from './step-schema.ts';

/** Takes a scenario's new configuration into its models and its world; what the scheduler has to be told of it. */
export function reload(
  wanted: Reload,
  scenario: Scenario,
  policy: PolicyName,
  { specs, world }: { readonly specs: ModelSpecs; readonly world: World },
): ConfigChange {
  const pinnedBefore = new Set(Object.keys(wanted.models).filter((name) => specs.modelOf(name)?.pin));
  const classBefore = new Map(Object.keys(wanted.models).map((name) => [name, specs.specOf(name)?.classKey]));
  const changed = specs.reload(wanted);
  for (const { name } of changed) {
    const model = specs.modelOf(name);
    if (model)
      Object.assign(world.modelOf(name), { ...behaviourOf(model), fault: world.modelOf(name).fault });
  }
  const isPinnedAnew = ({ name, pinned, classKey }: (typeof changed)[number]): boolean =>
    pinned && (!pinnedBefore.has(name) || classBefore.get(name) !== classKey);
  const named = wanted.preload.flatMap((name) => specs.specOf(name) ?? []);
  return {
    settings: settingsOf(scenario, wanted.settings.policy ?? policy),
    changed,
    classesBefore: new Map(
      [...classBefore].flatMap(([name, classKey]) => (classKey === undefined ? [] : [[name, classKey]])),
    ),
    removed: wanted.removed,
    preload: [
      ...new Map([...changed.filter(isPinnedAnew), ...named].map((spec) => [spec.name, spec])).values(),
    ],
  };
}
