import type {
  Change,
  Entries,
  ListChange,
  Row,
  Snapshot,
  StreamTopic,
  ListTopic,
  Topic,
} from '../ws/protocol.ts';

/** Entries of a stream that are kept, and characters of text among them. */
const KEPT_ENTRIES = 2_000;
const KEPT_TEXT = 512 * 1024;

/** What is known of a topic: the rows of a list, in no order that means anything; or the last entries of a stream. */
export type Picture<T extends Topic> = T extends ListTopic
  ? readonly Row<T>[]
  : T extends StreamTopic
    ? Entries<T>
    : never;

type Rows = readonly { readonly id: string }[];
type AnyEntries = Entries<StreamTopic>;

/** A topic after a message about it; null when a change comes to something unknown. */
export function pictureAfter<T extends Topic>(
  picture: Picture<T> | null,
  message: Snapshot<T> | Change<T>,
): Picture<T> | null {
  if (message.type === 'snapshot') return message.data as Picture<T>;
  if (picture === null) return null;
  const next = Array.isArray(picture)
    ? withChanges(picture as Rows, message.data as ListChange<ListTopic>)
    : withMore(picture as AnyEntries, message.data as AnyEntries);
  return next as Picture<T>;
}

function withChanges(rows: Rows, { upsert, remove }: ListChange<ListTopic>): Rows {
  const byId = new Map<string, Rows[number]>(rows.map((row) => [row.id, row]));
  for (const id of remove) byId.delete(id);
  for (const row of upsert) byId.set(row.id, row);
  return [...byId.values()];
}

function withMore(known: AnyEntries, more: AnyEntries): AnyEntries {
  const all = [...known.entries, ...more.entries];
  const kept = all.slice(firstKept(all));
  return { entries: kept, leftOut: known.leftOut + more.leftOut + all.length - kept.length };
}

function firstKept(entries: AnyEntries['entries']): number {
  let first = entries.length;
  let size = 0;
  while (first > 0 && entries.length - first < KEPT_ENTRIES) {
    const entry = entries[first - 1];
    size += typeof entry === 'string' ? entry.length : 0;
    if (size > KEPT_TEXT) break;
    first--;
  }
  return first;
}
