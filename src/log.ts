import { pino, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Config } from './config/schema.ts';

const STDERR = 2;
/** Characters that wait for somebody who reads slowly; lines beyond are lost rather than kept without bound. */
const MOST_WAITING = 8 * 1024 ** 2;

/**
 * The service's log, on standard error: for people on a terminal, else a JSON object per line. Lines are made in this process, and
 * whatever is still waiting is written when the process exits.
 */
export function createLog({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  const { isTTY } = process.stderr;
  const options = { level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (logFormat === 'json' || (logFormat === 'auto' && !isTTY))
    return pino(
      options,
      // A batch is looked through again with each line that is added to it, so that larger ones cost more than they save.
      pino.destination({
        dest: STDERR,
        sync: false,
        minLength: 4_096,
        maxWrite: 4_097,
        maxLength: MOST_WAITING,
        periodicFlush: 250,
      }),
    );
  const sink = pino.destination({ dest: STDERR, sync: true });
  const prettify = prettyFactory({
    colorize: isTTY && !process.env['NO_COLOR'],
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'event',
    messageFormat: '{event}  {msg}',
    singleLine: true,
  });
  return pino(options, { write: (line) => void sink.write(prettify(line)) });
}
