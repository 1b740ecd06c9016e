import { crowdAtLoad } from '../planning/history.ts';
import { afterAnswer, afterArrival, afterEviction, afterLoad, withoutHistory } from '../planning/learned.ts';
import { headArrivalMs, isUnused } from '../planning/queues.ts';
import type { ModelSpec, RunnerId } from '../vocabulary.ts';
import { LedgerReader } from './ledger-reader.ts';
import type { Tables } from './tables.ts';

/** Tables that are being changed: what is written goes into copies, and the tables that it began with stay as they were. */
export class LedgerDraft extends LedgerReader {
  /** Made here: nobody else has them yet, so they may be written into. */
  readonly #own = new Set<object>();

  /** The tables as they are now. Not to be written any more. */
  finish(): Tables {
    return this.tables;
  }

  protected change(facts: Partial<Tables>): void {
    if (!this.#own.has(this.tables)) this.#own.add((this.tables = { ...this.tables }));
    Object.assign(this.tables, facts);
  }

  protected noteAskedFor(spec: ModelSpec, nowMs: number): void {
    const wasIdle = isUnused(this, spec.name);
    const arrival = { nowMs, wasIdle, loadSeconds: this.reloadSecondsOf(spec) };
    this.change({ learned: afterArrival(this.tables.learned, spec.name, arrival) });
  }

  /** `answerMs` is how long the request was served; null when it was not served to its end. */
  protected noteAnswered(model: string, atMs: number, answerMs: number | null): void {
    this.change({ learned: afterAnswer(this.tables.learned, model, atMs, answerMs) });
  }

  /** The runner has to go for those who wait for a class. */
  protected noteEviction(runnerId: RunnerId, classKey: string): void {
    const victim = this.runners.get(runnerId)?.spec.name;
    const queue = this.queues.get(classKey);
    if (victim === undefined || !queue) return;
    const { learned } = this.tables;
    this.change({ learned: afterEviction(learned, victim, queue.spec.name, headArrivalMs(queue)) });
  }

  protected noteLoadOf(model: string, loadMs: number): void {
    const crowd = crowdAtLoad(this.queuesOf(model), loadMs, this.now());
    this.change({ learned: afterLoad(this.tables.learned, model, loadMs, crowd) });
  }

  protected forgetHistory(model: string): void {
    this.change({ learned: withoutHistory(this.tables.learned, model) });
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
