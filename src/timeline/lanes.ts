/** Something that takes a place in a lane for some time, in ms. */
export interface Stay {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Puts what happens at the same time into lanes side by side, each into the first that is free when it begins. */
export function lanesOf<Item>(items: readonly Item[], stayOf: (item: Item) => Stay): Item[][] {
  const lanes: { items: Item[]; endMs: number }[] = [];
  for (const item of items) {
    const { fromMs, toMs } = stayOf(item);
    const free = lanes.find(({ endMs }) => endMs <= fromMs);
    if (free) {
      free.items.push(item);
      free.endMs = toMs;
    } else lanes.push({ items: [item], endMs: toMs });
  }
  return lanes.map((lane) => lane.items);
}
