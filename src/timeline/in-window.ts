import { xOf, type Scale } from './scale.ts';

/**
 * Of samples that each hold until the next, those that a drawing needs: the one that holds when the window begins, those within,
 * and of several that would be at the same place the last.
 */
export function samplesIn<Sample extends { readonly atMs: number }>(
  samples: readonly Sample[],
  scale: Scale,
): Sample[] {
  const first = Math.max(0, lastBefore(samples, scale.fromMs));
  const needed: Sample[] = [];
  let place = -Infinity;
  for (let i = first; i < samples.length; i++) {
    const sample = samples[i] as Sample;
    if (sample.atMs > scale.toMs) break;
    const x = Math.floor(xOf(scale, Math.max(sample.atMs, scale.fromMs)));
    if (x === place) needed.pop();
    needed.push(sample);
    place = x;
  }
  return needed;
}

/** Of stays in their order, those that are in the window; of those too short to be told apart the first. */
export function staysIn<Item>(
  items: readonly Item[],
  scale: Scale,
  stayOf: (item: Item) => { readonly fromMs: number; readonly toMs: number },
): Item[] {
  let filled = -Infinity;
  return items.filter((item) => {
    const { fromMs, toMs } = stayOf(item);
    if (toMs < scale.fromMs || fromMs > scale.toMs) return false;
    const toX = xOf(scale, toMs);
    if (toX - filled < 0.5) return false;
    filled = toX;
    return true;
  });
}

/** Index of the last sample at or before a time; -1 when there is none. */
function lastBefore(samples: readonly { readonly atMs: number }[], ms: number): number {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((samples[middle]?.atMs ?? Infinity) <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
