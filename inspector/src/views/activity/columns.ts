import type { Entry } from 'corral/client';
import { formatClock } from '../../parts/format-duration.ts';

/** A request that has ended. */
export type Request = Entry<'activity'>;

/** A column: its name, how a request is told in it, and what it is sorted by. */
export interface Column {
  readonly id: string;
  readonly title: string;
  readonly isNumber: boolean;
  readonly text: (request: Request) => string;
  readonly value: (request: Request) => string | number | null;
}

const number = (id: keyof Request, title: string): Column => ({
  id,
  title,
  isNumber: true,
  text: (request) => String(request[id] ?? '–'),
  value: (request) => request[id] as number | null,
});
const words = (id: keyof Request, title: string): Column => ({
  id,
  title,
  isNumber: false,
  text: (request) => String(request[id] ?? '–'),
  value: (request) => String(request[id] ?? ''),
});
const duration = (id: keyof Request, title: string): Column => ({
  ...number(id, title),
  text: (request) => (request[id] === null ? '–' : secondsText(request[id] as number)),
});

/** Below a minute to a tenth of a second. */
const secondsText = (ms: number): string => (ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : formatClock(ms));

/** In the order of the table. */
export const columns: readonly Column[] = [
  { ...words('at', 'Time'), text: ({ at }) => new Date(at).toLocaleTimeString() },
  words('model', 'Model'),
  words('caller', 'Caller'),
  words('path', 'Path'),
  {
    ...number('status', 'Status'),
    text: ({ status, outcome }) => (outcome === 'ok' ? String(status) : `${status} ${outcome}`),
  },
  number('inputTokens', 'In'),
  number('cachedTokens', 'Cached'),
  number('outputTokens', 'Out'),
  duration('waitMs', 'Wait'),
  duration('loadMs', 'Load'),
  number('promptPerSecond', 'Prefill/s'),
  number('generatedPerSecond', 'Gen/s'),
  duration('durationMs', 'Took'),
];

/** What is sorted by, and which way. */
export interface Order {
  readonly column: string;
  readonly isDown: boolean;
}

/** Requests that have a text anywhere in what is told of them, in an order; nothing known comes last. */
export function arranged(
  requests: readonly Request[],
  filter: string,
  { column, isDown }: Order,
): readonly Request[] {
  const wanted = filter.trim().toLowerCase();
  const { value } = columns.find(({ id }) => id === column) ?? (columns[0] as Column);
  const has = (request: Request): boolean =>
    [request.model, request.caller, request.path, String(request.status), request.outcome].some((text) =>
      text?.toLowerCase().includes(wanted),
    );
  const compared = (a: Request, b: Request): number => {
    const [one, other] = [value(a), value(b)];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    const order = one < other ? -1 : Number(one > other);
    return (isDown ? -order : order) || b.id - a.id;
  };
  return (wanted === '' ? requests : requests.filter(has)).toSorted(compared);
}
