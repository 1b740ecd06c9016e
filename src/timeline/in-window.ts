import { xOf, type Scale } from './scale.ts';

/** Samples closer to each other are not told apart, in px. */
const CLOSEST = 2;
/** Marks of a row: of more, those are left out that end too close to the one before. */
const MOST_MARKS = 150;
/** Where there are few, in px. */
const NARROWEST = 0.5;

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
    const x = Math.floor(xOf(scale, Math.max(sample.atMs, scale.fromMs)) / CLOSEST);
    if (x === place) needed.pop();
    needed.push(sample);
    place = x;
  }
  return needed;
}

/** Of stays in their order, those that are in the window; where there are too many to be told apart, some of them. */
export function staysIn<Item>(
  items: readonly Item[],
  scale: Scale,
  stayOf: (item: Item) => { readonly fromMs: number; readonly toMs: number },
): Item[] {
  const inWindow = items.filter((item) => {
    const { fromMs, toMs } = stayOf(item);
    return toMs >= scale.fromMs && fromMs <= scale.toMs;
  });
  const least = inWindow.length > MOST_MARKS ? (scale.width - scale.left) / MOST_MARKS : NARROWEST;
  let filled = -Infinity;
  return inWindow.filter((item) => {
    const toX = xOf(scale, stayOf(item).toMs);
    if (toX - filled < least) return false;
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
