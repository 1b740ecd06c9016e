/** Lines of one kind within the span; those beyond are counted only. */
const MOST_LINES = 50;
const SPAN_MS = 10_000;
/** Kinds that are told apart by their text, too, within a span. */
const MOST_KINDS = 1_000;
/** Pino's number of `info`: who asks for more than that wants each line. */
const INFO = 30;

/** What a log line says besides its text. */
export type Fields = Readonly<Record<string, unknown>>;

interface Kind {
  readonly fields: Fields;
  lines: number;
}

/** Is told how many lines like an earlier one were left out. */
type OnLeftOut = (fields: Fields, lines: number, withinMs: number) => void;

/**
 * Lets only so many lines of a kind through within ten seconds, and then tells how many were left out. A kind is what happened and how it
 * ended, not to whom: somebody who asks for a thousand names that nobody knows writes lines of one kind.
 */
export class RepeatedLines {
  readonly #onLeftOut: OnLeftOut;
  readonly #kinds = new Map<string, Kind>();
  #timer: NodeJS.Timeout | null = null;

  constructor(onLeftOut: OnLeftOut) {
    this.#onLeftOut = onLeftOut;
  }

  /** Whether a line is to be written. */
  admits(level: number, fields: Fields, text = ''): boolean {
    if (level < INFO || isServed(fields)) return true;
    const { event, status, code, outcome } = fields;
    const isTold = text !== '' && this.#kinds.size < MOST_KINDS;
    const key = [level, event, status, code, outcome, isTold ? text : ''].join(' ');
    let kind = this.#kinds.get(key);
    if (!kind) {
      kind = { fields: { of: event, status, code, outcome, ...(isTold && { text }) }, lines: 0 };
      this.#kinds.set(key, kind);
    }
    this.#timer ??= setTimeout(this.tell, SPAN_MS).unref();
    return ++kind.lines <= MOST_LINES;
  }

  /** Tells what has been left out so far, and begins a new span. */
  readonly tell = (): void => {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const kinds = [...this.#kinds.values()];
    this.#kinds.clear();
    for (const { fields, lines } of kinds)
      if (lines > MOST_LINES) this.#onLeftOut(fields, lines - MOST_LINES, SPAN_MS);
  };
}

/** Each request that was served is told of: it cost its client more than it costs the log. */
const isServed = ({ event, outcome, status }: Fields): boolean =>
  event === 'request.ended' && outcome === 'ok' && Number(status) < 400;
