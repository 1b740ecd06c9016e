import { prettyFactory } from 'pino-pretty';
import { printable, printableLine } from '../terminal/printable.ts';

/** Makes a line for people of a line of JSON. Colours are ours alone: what is told steers no terminal, and begins no line of its own. */
export function prettyLines(colorize: boolean): (json: string) => string {
  const prettify = prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'event',
    messageFormat: '{event}  {msg}',
    singleLine: true,
  });
  return (json) =>
    prettify(
      JSON.parse(json, (key, value: unknown) => (typeof value === 'string' ? clean(key, value) : value)),
    );
}

/** Of all that is logged only a stack has lines. */
const clean = (key: string, text: string): string =>
  key === 'stack' ? printable(text) : printableLine(text);
