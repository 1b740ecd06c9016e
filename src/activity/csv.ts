import type { ActivityRow } from './row-of.ts';

/** In the order of the columns. */
const COLUMNS: readonly (keyof ActivityRow)[] = [
  'id',
  'at',
  'model',
  'caller',
  'method',
  'path',
  'api',
  'status',
  'outcome',
  'stream',
  'inputTokens',
  'cachedTokens',
  'outputTokens',
  'waitMs',
  'loadMs',
  'firstByteMs',
  'durationMs',
  'promptPerSecond',
  'generatedPerSecond',
  'requestBytes',
  'replyBytes',
  'runnerId',
];

/** Requests as CSV (RFC 4180), with a line of names. */
export const toCsv = (rows: readonly ActivityRow[]): string =>
  [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))]
    .map((cells) => `${cells.map(cellOf).join(',')}\r\n`)
    .join('');

/** What a spreadsheet would take for a formula is text. */
function cellOf(value: unknown): string {
  if (typeof value !== 'string')
    return value === null || value === undefined ? '' : String(value as number | boolean);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
