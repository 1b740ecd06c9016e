import type { Source, Watch } from './source.ts';

interface Identified {
  readonly id: string;
}

/** A list whose rows have ids: what has changed is found by comparing all rows with those of the last time. */
export class ListSource<Row extends Identified> implements Source {
  readonly #read: () => readonly Row[];
  readonly #unwatch: () => void;
  #rows: readonly Row[] = [];
  /** Each row as text, by id. */
  #texts = new Map<string, string>();

  constructor(read: () => readonly Row[], touch: () => void, watch: Watch) {
    this.#read = read;
    this.#unwatch = watch(touch);
  }

  snapshot(): readonly Row[] {
    return this.#rows;
  }

  take(): { upsert: readonly Row[]; remove: readonly string[] } | null {
    const rows = this.#read();
    const texts = new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
    const upsert = rows.filter(({ id }) => texts.get(id) !== this.#texts.get(id));
    const remove = [...this.#texts.keys()].filter((id) => !texts.has(id));
    this.#rows = rows;
    this.#texts = texts;
    return upsert.length + remove.length === 0 ? null : { upsert, remove };
  }

  close(): void {
    this.#unwatch();
  }
}
