import type { Entry } from 'corral/client';

export type LogLine = Entry<'log'>;

/** How bad it is what a line says. */
export type Level = 'info' | 'warning' | 'error';

/** Which lines are shown: those from this level on. */
export const levels: readonly Level[] = ['info', 'warning', 'error'];

/** llama-server writes `E` or `W` before a message; others use words. */
const ERROR = /(^|\s)E\s|\b(error|failed|failure|fatal|exception|panic|abort(ed)?)\b/i;
const WARNING = /(^|\s)W\s|\bwarn(ing)?\b/i;

/** The level of a line, from its words. */
export function levelOf(text: string): Level {
  if (ERROR.test(text)) return 'error';
  return WARNING.test(text) ? 'warning' : 'info';
}

export interface LogFilter {
  readonly text: string;
  readonly level: Level;
}

/** Whether a line is one of those looked for; case does not matter. */
export const matches = ({ text }: LogLine, filter: LogFilter): boolean =>
  levels.indexOf(levelOf(text)) >= levels.indexOf(filter.level) &&
  text.toLowerCase().includes(filter.text.toLowerCase());
