import { MOST_COUNT } from './bounds.ts';
import type { GgufValue } from './parse-gguf-header.ts';

/** The header's key-value pairs, as the architecture of the model names them. */
export class GgufKeys {
  readonly architecture: string;
  readonly #pairs: ReadonlyMap<string, GgufValue>;

  constructor(pairs: ReadonlyMap<string, GgufValue>) {
    this.#pairs = pairs;
    this.architecture = this.text('general.architecture') ?? 'unknown';
  }

  /** By its full name. */
  text(name: string): string | null {
    const value = this.#pairs.get(name);
    return typeof value === 'string' ? value : null;
  }

  /** How many a list has, by its full name; 0 without it. */
  lengthOf(name: string): number {
    const value = this.#pairs.get(name);
    return typeof value === 'object' ? value.length : 0;
  }

  /**
   * Of this architecture: `block_count` is `llama.block_count` in a llama model; null without it. Throws an Error for what is no whole
   * number from 0 to `most`: no figure of a header sizes anything before it was looked at here.
   */
  count(name: string, most = MOST_COUNT): number | null {
    const value = this.#pairs.get(this.#fullName(name));
    return typeof value === 'number' ? this.#checked(name, value, most) : null;
  }

  /** Of this architecture, given once for all layers or for each; null without it. Throws as `count` does. */
  perLayer(name: string, layers: number): readonly number[] | null {
    const value = this.#pairs.get(this.#fullName(name));
    const isForAll = typeof value === 'number';
    const values = isForAll ? Array.from({ length: layers }, () => value) : listOf(value)?.slice(0, layers);
    values?.forEach((one) => this.#checked(name, one, MOST_COUNT));
    return values?.length === layers ? values : null;
  }

  /** Of this architecture, only when given for each layer. */
  listPerLayer(name: string, layers: number): readonly number[] | null {
    return this.count(name) === null ? this.perLayer(name, layers) : null;
  }

  #fullName(name: string): string {
    return `${this.architecture}.${name}`;
  }

  #checked(name: string, value: number, most: number): number {
    if (Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw new Error(`its ${this.#fullName(name)} is ${value}, where a whole number up to ${most} belongs`);
  }
}

const listOf = (value: GgufValue | undefined): readonly number[] | null =>
  typeof value === 'object' ? value.values : null;
