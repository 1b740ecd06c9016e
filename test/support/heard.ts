import { pino, type Logger } from 'pino';

/** One line of a log. */
export interface HeardLine {
  readonly event: string;
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** A log that is kept in memory, and what it holds so far. */
export function hearLog(): {
  readonly log: Logger;
  readonly lines: HeardLine[];
  of(event: string): HeardLine[];
} {
  const lines: HeardLine[] = [];
  const log = pino({ level: 'info' }, { write: (text) => void lines.push(JSON.parse(text) as HeardLine) });
  return { log, lines, of: (event) => lines.filter((line) => line.event === event) };
}
