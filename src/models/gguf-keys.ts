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

  /** Of this architecture: `block_count` is `llama.block_count` in a llama model. */
  number(name: string): number | null {
    const value = this.#pairs.get(`${this.architecture}.${name}`);
    return typeof value === 'number' ? value : null;
  }

  /** Of this architecture, given once for all layers or for each; null without it. */
  perLayer(name: string, layers: number): readonly number[] | null {
    const value = this.#pairs.get(`${this.architecture}.${name}`);
    if (typeof value === 'number') return Array.from({ length: layers }, () => value);
    return typeof value === 'object' && value.values.length >= layers ? value.values.slice(0, layers) : null;
  }

  /** Of this architecture, only when given for each layer. */
  listPerLayer(name: string, layers: number): readonly number[] | null {
    return this.number(name) === null ? this.perLayer(name, layers) : null;
  }
}
