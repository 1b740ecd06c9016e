import { LedgerReader } from './ledger-reader.ts';
import type { Tables } from './tables.ts';

/** Tables that are being changed: what is written goes into copies, and the tables that it began with stay as they were. */
export class LedgerDraft extends LedgerReader {
  /** Maps made here: nobody else has them yet, so they may be written into. */
  readonly #own = new WeakSet<object>();

  /** The tables as they are now. Not to be written any more. */
  finish(): Tables {
    return this.tables;
  }

  protected change(facts: Partial<Tables>): void {
    this.tables = { ...this.tables, ...facts };
  }

  protected set<Key, Value>(table: keyof Tables, map: ReadonlyMap<Key, Value>, key: Key, value: Value): void {
    this.#draft(table, map).set(key, value);
  }

  protected delete<Key, Value>(table: keyof Tables, map: ReadonlyMap<Key, Value>, key: Key): void {
    if (map.has(key)) this.#draft(table, map).delete(key);
  }

  /** The map itself if it was made here, else a copy of it that takes its place. */
  #draft<Key, Value>(table: keyof Tables, map: ReadonlyMap<Key, Value>): Map<Key, Value> {
    if (map instanceof Map && this.#own.has(map)) return map;
    const copy = new Map(map);
    this.#own.add(copy);
    this.change({ [table]: copy });
    return copy;
  }
}
