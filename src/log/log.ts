import { isatty } from 'node:tty';
import { pino, type Logger, type LoggerOptions } from 'pino';
import type { Config } from '../config/schema.ts';
import { printableJson } from '../terminal/printable.ts';
import { cutLong, cutText, toldError } from './cut-long.ts';
import { prettyLines } from './pretty-line.ts';
import { RepeatedLines, type Fields } from './repeated-lines.ts';
import { UnblockedOutput } from './unblocked-output.ts';

const STDERR = 2;
/** For a reader who waits for events and not for each line: several lines are one write. */
const HOLD_MS = 250;

/**
 * The service's log, on standard error: for people on a terminal, else a JSON object per line. It never waits for who reads it, what
 * strangers can make it write is bounded, and whatever is still waiting is written when the process exits.
 */
export function createLog({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  const isTTY = isatty(STDERR);
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && isTTY);
  const output = new UnblockedOutput(STDERR, {
    holdMs: isPretty ? 0 : HOLD_MS,
    onLeftOut: (lines) =>
      log.warn({ event: 'log.dropped', lines }, `${lines} lines are missing: nobody took them in time`),
  });
  const repeated = new RepeatedLines((fields, lines, withinMs) =>
    log.info(
      { event: 'log.repeated', ...fields, lines },
      `${lines} more lines like this within ${withinMs / 1_000} s were left out`,
    ),
  );
  const asWritten = isPretty ? prettyLines(isTTY && !process.env['NO_COLOR']) : printableJson;
  const log = pino(optionsOf(logLevel, repeated), { write: (line) => output.write(asWritten(line)) });
  process.once('exit', () => {
    repeated.tell();
    output.finish();
  });
  return log;
}

const optionsOf = (level: string, repeated: RepeatedLines): LoggerOptions => ({
  level,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  serializers: { err: toldError },
  hooks: {
    logMethod([fields, text], method, ofLevel) {
      if (typeof fields !== 'object' || fields === null) return method.call(this, cutText(String(fields)));
      const told = cutLong(fields as Fields);
      if (!repeated.admits(ofLevel, told, text)) return;
      if (text === undefined) method.call(this, told);
      else method.call(this, told, cutText(text));
    },
  },
});
