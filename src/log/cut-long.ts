import { stdSerializers } from 'pino';

/** Characters of a value that whoever asks may have chosen: a path, a name. Enough to know it again. */
const LONGEST_VALUE = 256;
/** Characters of our own messages, which may quote what a runner said, and of an error's stack. */
const LONGEST_TEXT = 4_096;

/** The same, with no long text in it: only the beginning of such a text is kept, and how long it was is said. */
export function cutLong(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  let shorter: Record<string, unknown> | undefined;
  for (const key in fields) {
    const value = fields[key];
    if (typeof value !== 'string' || value.length <= LONGEST_VALUE) continue;
    shorter ??= { ...fields };
    shorter[key] = cutTo(LONGEST_VALUE, value);
  }
  return shorter ?? fields;
}

/** What is told of an error; whatever else it carries may be anything. */
export function toldError(error: unknown): unknown {
  if (!(error instanceof Error)) return cutText(String(error));
  const { type, message, stack } = stdSerializers.err(error);
  const code = 'code' in error && { code: error.code };
  return { type, message: cutText(message), stack: cutText(stack), ...code };
}

/** The same for a text of ours. */
export const cutText = (text: string): string =>
  text.length <= LONGEST_TEXT ? text : cutTo(LONGEST_TEXT, text);

const cutTo = (length: number, text: string): string =>
  `${text.slice(0, length)}… (${text.length.toLocaleString('en')} characters)`;
