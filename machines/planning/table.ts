/** Rows by id, in the order in which they came, as plain data: to write one costs the same however many there are. */
export interface Table<Row> {
  readonly rows: readonly Row[];
  /** Where each row is. */
  readonly places: ReadonlyMap<string, number>;
}

/** What may be asked of a table, as of a `ReadonlyMap`. */
export interface Rows<Row> {
  readonly size: number;
  get(id: string): Row | undefined;
  has(id: string): boolean;
  keys(): Iterable<string>;
  values(): Iterable<Row>;
}

const EMPTY: Table<never> = { rows: [], places: new Map() };

/** A table without rows. */
export const emptyTable = <Row>(): Table<Row> => EMPTY;

/** The row with this id, if there is one. */
export function rowOf<Row>({ rows, places }: Table<Row>, id: string): Row | undefined {
  const place = places.get(id);
  return place === undefined ? undefined : rows[place];
}

/** The same table with this row: at its place, or at the end when it is new. */
export function withRow<Row>({ rows, places }: Table<Row>, id: string, row: Row): Table<Row> {
  const place = places.get(id);
  if (place === undefined) return { rows: [...rows, row], places: new Map(places).set(id, rows.length) };
  const copy = rows.slice();
  copy[place] = row;
  return { rows: copy, places };
}

/** The same table without this row. */
export function withoutRow<Row>(table: Table<Row>, id: string): Table<Row> {
  const place = table.places.get(id);
  if (place === undefined) return table;
  const places = new Map<string, number>();
  for (const [other, at] of table.places) if (other !== id) places.set(other, at < place ? at : at - 1);
  return { rows: table.rows.filter((_, at) => at !== place), places };
}

/** A table to look things up in. */
export const rowsOf = <Row>(table: Table<Row>): Rows<Row> => ({
  size: table.rows.length,
  get: (id) => rowOf(table, id),
  has: (id) => table.places.has(id),
  keys: () => table.places.keys(),
  values: () => table.rows,
});
