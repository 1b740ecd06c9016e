/**
 * Finds the few top-level members of a JSON object that matter here without parsing the rest: a body may hold tens of
 * megabytes of images.
 *
 * 1. The structure is checked (brackets, commas, colons, literals, numbers); what is inside strings is not, except in
 *    the members read: the runner judges that.
 * 2. Of duplicate keys the last one counts, as in `JSON.parse` and in llama-server's own parser, so that the model
 *    that is leased is the one that the runner reads.
 * 3. Strings are skipped by searching for their closing quote, which makes the cost that of a memory search.
 */

/** What the scan learnt of a request body. */
export type ScanResult =
  | {
      readonly kind: 'object';
      /** `undefined` if absent, `null` if it is there and is not a string of reasonable length. */
      readonly model: string | null | undefined;
      readonly stream: boolean;
      /** `keep_alive` as Ollama has it, else `ttl` as LM Studio does; absent where neither is a number or a short text. */
      readonly keepAlive?: string | number;
      /** `previous_response_id` names a reply. */
      readonly continues?: boolean;
    }
  | { readonly kind: 'invalid'; readonly reason: string };

/** Reads a body chunk by chunk, split anywhere: `push` what arrives, then ask for the `result`. */
export interface BodyScan {
  push(chunk: Buffer): void;
  result(): ScanResult;
}

type Expectation = 'key or }' | 'key' | ':' | 'value' | 'value or ]' | ', or end' | 'nothing';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Deeper nesting is refused: no request needs it, and each level costs memory here and more in a runner. */
const MAX_DEPTH = 1024;
/** What is read. */
const MEMBERS: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'keep_alive',
  'ttl',
  'previous_response_id',
]);
/** `previous_response_id` with each letter written as a `\uXXXX` escape; a longer key is none of them. */
const MAX_KEY_BYTES = 120;
const MAX_TEXT_BYTES = 1024;

const scalarPattern = /^(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$/;

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** UTF-8's byte order mark: some editors and shells put it before what they send, and llama-server steps over it as well. */
const MARK = Buffer.from('\uFEFF');

/** Letters, digits and `+ - .`: what a number or a literal consists of. */
const isScalarByte = (byte: number): boolean =>
  (byte >= 0x61 && byte <= 0x7a) ||
  (byte >= 0x30 && byte <= 0x39) ||
  byte === 0x2d ||
  byte === 0x2e ||
  byte === 0x2b ||
  byte === 0x45;

/** What only a JSON parser can judge: escapes, and control characters, which may not stand in a string as they are. */
const needsParsing = /[\\\p{Cc}]/u;

const decodeString = (pieces: readonly Buffer[]): string | null => {
  const raw = (pieces.length === 1 ? pieces[0] : Buffer.concat(pieces))?.toString('utf8') ?? '';
  if (!needsParsing.test(raw)) return raw;
  try {
    const value: unknown = JSON.parse(`"${raw}"`);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
};

const isLength = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number';

/** Scans a JSON object. */
export class ModelScan implements BodyScan {
  readonly #mostValues: number;
  #values = 0;
  /** One entry for each open bracket: is it an object's? */
  readonly #open: boolean[] = [];
  #expect: Expectation = 'value';
  #invalid: string | null = null;
  #offset = 0;
  /** Bytes of the byte order mark that were there. */
  #marked = 0;

  #inString = false;
  #isKey = false;
  #endsInOddBackslashes = false;
  /** Collects the string being read, if it is of interest and not too long. */
  #kept: Buffer[] | null = null;
  #keptBytes = 0;
  #keepAtMost = 0;
  #scalar: string | null = null;

  /** The top-level key whose value comes next, if that is read. */
  #member: string | null = null;
  /** Null for what is neither a text of reasonable length nor a number or a boolean. */
  readonly #found = new Map<string, string | number | boolean | null>();

  /** More values than `mostValues`, counted at every level, are refused. */
  constructor(mostValues = Infinity) {
    this.#mostValues = mostValues;
  }

  push(chunk: Buffer): void {
    let at = this.#skipMark(chunk);
    while (at < chunk.length && this.#invalid === null) {
      if (this.#inString) at = this.#readString(chunk, at);
      else if (this.#scalar !== null) at = this.#readScalar(chunk, at);
      else at = this.#readByte(chunk, at);
    }
    this.#offset += chunk.length;
  }

  result(): ScanResult {
    const reason = this.#invalid ?? (this.#expect === 'nothing' ? null : 'it ends too early');
    if (reason !== null) return { kind: 'invalid', reason };
    const model = this.#found.get('model');
    const keepAlive = [this.#found.get('keep_alive'), this.#found.get('ttl')].find(isLength);
    return {
      kind: 'object',
      model: model === undefined || typeof model === 'string' ? model : null,
      stream: this.#found.get('stream') === true,
      ...(keepAlive !== undefined && { keepAlive }),
      ...(typeof this.#found.get('previous_response_id') === 'string' && { continues: true }),
    };
  }

  /** Steps over a byte order mark, which only the very beginning can be. */
  #skipMark(chunk: Buffer): number {
    let at = 0;
    while (this.#offset + at === this.#marked && at < chunk.length && chunk[at] === MARK[this.#marked]) {
      this.#marked += 1;
      at += 1;
    }
    const isCut = this.#marked > 0 && this.#marked < MARK.length && at < chunk.length;
    if (isCut) this.#invalid ??= 'it is not an object';
    return at;
  }

  /** Reads one byte between strings and scalars; returns where to go on. */
  #readByte(chunk: Buffer, at: number): number {
    const byte = chunk[at] ?? 0;
    if (isSpace(byte)) return at + 1;
    const outside = this.#open.length === 0;
    if (outside && this.#expect === 'value' && byte !== OPEN_BRACE) this.#invalid = 'it is not an object';
    else if (!this.#accept(byte)) this.#invalid ??= this.#unexpected(at);
    return at + 1;
  }

  #unexpected(at: number): string {
    return `unexpected character at byte ${this.#offset + at}, where ${this.#expect} is expected`;
  }

  #accept(byte: number): boolean {
    switch (this.#expect) {
      case ':':
        this.#expect = 'value';
        return byte === COLON;
      case ', or end':
        return byte === COMMA ? this.#next() : this.#close(byte);
      case 'key or }':
        return byte === QUOTE ? this.#beginString(true) : this.#close(byte);
      case 'key':
        return byte === QUOTE && this.#beginString(true);
      case 'value or ]':
        return byte === CLOSE_BRACKET ? this.#close(byte) : this.#beginValue(byte);
      case 'value':
        return this.#beginValue(byte);
      case 'nothing':
        return false;
    }
  }

  #next(): boolean {
    this.#expect = this.#open.at(-1) === true ? 'key' : 'value';
    return true;
  }

  #close(byte: number): boolean {
    if (byte !== (this.#open.at(-1) === true ? CLOSE_BRACE : CLOSE_BRACKET)) return false;
    this.#open.pop();
    this.#expect = this.#open.length === 0 ? 'nothing' : ', or end';
    return true;
  }

  #beginValue(byte: number): boolean {
    if (++this.#values > this.#mostValues) {
      this.#invalid = `it holds more than ${this.#mostValues.toLocaleString('en')} values`;
      return false;
    }
    this.#note(null);
    if (byte === QUOTE) return this.#beginString(false);
    if (byte === OPEN_BRACE) return this.#beginNested(true);
    if (byte === OPEN_BRACKET) return this.#beginNested(false);
    if (!isScalarByte(byte)) return false;
    this.#scalar = String.fromCharCode(byte);
    return true;
  }

  #beginNested(isObject: boolean): boolean {
    if (this.#open.length === MAX_DEPTH) {
      this.#invalid = `it is nested deeper than ${MAX_DEPTH} levels`;
      return false;
    }
    this.#open.push(isObject);
    this.#expect = isObject ? 'key or }' : 'value or ]';
    return true;
  }

  #beginString(isKey: boolean): boolean {
    const topLevel = this.#open.length === 1;
    this.#inString = true;
    this.#isKey = isKey;
    this.#endsInOddBackslashes = false;
    this.#keepAtMost = isKey ? MAX_KEY_BYTES : MAX_TEXT_BYTES;
    this.#kept = topLevel && (isKey || this.#member !== null) ? [] : null;
    this.#keptBytes = 0;
    return true;
  }

  /** Reads on inside a string, up to its closing quote or the chunk's end; returns where to go on. */
  #readString(chunk: Buffer, start: number): number {
    for (let from = start; ;) {
      const quote = chunk.indexOf(QUOTE, from);
      const end = quote === -1 ? chunk.length : quote;
      let runStart = end;
      while (runStart > start && chunk[runStart - 1] === BACKSLASH) runStart -= 1;
      // A quote is escaped exactly if an odd number of backslashes stands before it.
      const odd = (end - runStart) % 2 === 1;
      const escaped = runStart === start ? odd !== this.#endsInOddBackslashes : odd;
      if (quote === -1) {
        this.#keep(chunk, start, end);
        this.#endsInOddBackslashes = escaped;
        return end;
      }
      if (!escaped) {
        this.#keep(chunk, start, quote);
        this.#endString();
        return quote + 1;
      }
      from = quote + 1;
    }
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    if (this.#kept === null) return;
    this.#keptBytes += end - start;
    if (this.#keptBytes > this.#keepAtMost) this.#kept = null;
    else this.#kept.push(chunk.subarray(start, end));
  }

  #endString(): void {
    const value = this.#kept && decodeString(this.#kept);
    this.#inString = false;
    this.#expect = this.#isKey ? ':' : ', or end';
    if (this.#open.length !== 1) return;
    if (!this.#isKey) this.#note(value);
    else this.#member = value !== null && MEMBERS.has(value) ? value : null;
  }

  /** What a member is. Of one that comes twice the last counts. */
  #note(value: string | number | boolean | null): void {
    if (this.#member !== null && this.#open.length === 1) this.#found.set(this.#member, value);
  }

  #readScalar(chunk: Buffer, start: number): number {
    let end = start;
    while (end < chunk.length && isScalarByte(chunk[end] ?? 0)) end += 1;
    this.#scalar = `${this.#scalar ?? ''}${chunk.toString('latin1', start, end)}`;
    if (end < chunk.length) this.#endScalar(end);
    return end;
  }

  #endScalar(at: number): void {
    const text = this.#scalar ?? '';
    if (!scalarPattern.test(text)) this.#invalid = `malformed value before byte ${this.#offset + at}`;
    if (this.#member !== null && this.#invalid === null) this.#note(JSON.parse(text));
    this.#scalar = null;
    this.#expect = ', or end';
  }
}
