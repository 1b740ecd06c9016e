import type { ModelSpec } from '../vocabulary.ts';
import { canBeOnGpus } from './placement.ts';
import type { View } from './view.ts';

/**
 * A mixture of experts that no GPUs could ever hold, with its experts in main memory, if they could hold the rest of it: all layers on the
 * GPU and a part of their weights elsewhere is quicker than a part of the layers. Any other model stays as it is.
 */
export function withExpertsAside(spec: ModelSpec, view: View): ModelSpec {
  const { expertsAside, launch, placement } = spec;
  if (expertsAside === undefined || launch.expertsOnCpu) return spec;
  if (placement === 'gpu-only' || placement === 'cpu-only' || canBeOnGpus(spec, view)) return spec;
  const aside: ModelSpec = {
    ...spec,
    ...expertsAside,
    needSource: 'predicted',
    launch: { ...launch, expertsOnCpu: true },
  };
  return canBeOnGpus(aside, view) ? aside : spec;
}

/** Whether it was Corral who has put a model's experts aside. */
export const isAside = ({ expertsAside, launch }: ModelSpec): boolean =>
  expertsAside !== undefined && launch.expertsOnCpu === true;
