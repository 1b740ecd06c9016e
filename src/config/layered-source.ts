import type { ConfigProblem } from './config-error.ts';
import { YamlSource, type Place } from './yaml-source.ts';

/** A file, and what is written in it. */
export interface Layer {
  readonly file: string;
  readonly text: string;
  readonly source: YamlSource;
}

/** Where something is written, in which file. */
export type LayeredPlace = Place & Pick<ConfigProblem, 'file'>;

/** What tells of a configuration, and of where each thing in it stands. */
export interface ConfigSource {
  value(): unknown;
  /** As it is written. */
  at(path: readonly PropertyKey[]): unknown;
  placeOf(path: readonly PropertyKey[]): LayeredPlace;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Maps become one, key by key; of everything else the later one counts. */
export function merged(earlier: unknown, later: unknown): unknown {
  if (!isMap(earlier) || !isMap(later)) return later ?? earlier;
  const entries = new Map(Object.entries(earlier));
  for (const [key, value] of Object.entries(later)) entries.set(key, merged(entries.get(key), value));
  return Object.fromEntries(entries);
}

/** Several files as one: what a later one says wins. */
export class LayeredSource implements ConfigSource {
  readonly #layers: readonly Layer[];

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  value(): unknown {
    return this.#layers.map(({ source }) => source.value()).reduce(merged, {});
  }

  at(path: readonly PropertyKey[]): unknown {
    return this.#layerOf(path)?.source.at(path);
  }

  placeOf(path: readonly PropertyKey[]): LayeredPlace {
    const layer = this.#layerOf(path);
    if (!layer) return { line: 1, column: 1, key: path.map(String).join('.') };
    return { ...layer.source.placeOf(path), file: layer.file };
  }

  /** The last that has what is there, else the last that has what is around it. */
  #layerOf(path: readonly PropertyKey[]): Layer | undefined {
    for (let length = path.length; length > 0; length--) {
      const part = path.slice(0, length);
      const found = this.#layers.findLast(({ source }) => source.at(part) !== undefined);
      if (found) return found;
    }
    return this.#layers.at(-1);
  }
}
