import { formatBytes } from '../vocabulary.ts';
import type { Option, Want } from './options.ts';
import { siteNeed } from './placement.ts';
import { oldestOf } from './queues.ts';
import type { Decision } from './view.ts';

/**
 * Where nothing is evicted without a command: whoever would need that is told at once, and which command makes room. Null where nobody would
 * have to go. `option`: the cheapest way to make room; null where there is none.
 */
export function refuseUncommanded(want: Want, option: Option | null): Decision | null {
  const { queue, sites, view } = want;
  if (view.settings.eviction !== 'manual' || option === null || option.victims.length === 0) return null;
  const { spec } = queue;
  const need = formatBytes(Math.min(...sites.map((site) => siteNeed(spec, site, view))));
  const where = [...new Set(sites.flat().map(({ id }) => id))].join(', ');
  const commands = [...new Set(option.victims.map((victim) => `corral unload ${victim.spec.name}`))].join(
    ', ',
  );
  return {
    kind: 'refuse',
    leaseId: oldestOf(queue)?.leaseId ?? '',
    classKey: spec.classKey,
    failure: {
      code: 'no_room',
      message: `${spec.name} needs ${need} on ${where}, and nothing is evicted without a command (policy.eviction: manual). This makes room: ${commands}.`,
    },
  };
}
