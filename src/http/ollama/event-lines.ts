import { StringDecoder } from 'node:string_decoder';

/** Longer lines are no runner's: a line is one chunk of a reply. */
const MAX_LINE_CHARACTERS = 16 * 1024 ** 2;
const DATA = 'data:';
const DONE = '[DONE]';

/** Takes a stream of server-sent events apart, split anywhere, into the JSON values of their data. */
export class EventLines {
  readonly #decoder = new StringDecoder('utf8');
  /** The beginning of a line that has not ended yet, in the parts that it came in: joining them with each one would take ever longer. */
  #parts: string[] = [];
  #length = 0;

  /** Calls back for each complete event. Throws when the stream is not one of JSON events. */
  push(chunk: Buffer, onValue: (value: unknown) => void): void {
    const [first = '', ...others] = this.#decoder.write(chunk).split('\n');
    this.#keep(first);
    if (others.length === 0) return;
    const rest = others.pop() ?? '';
    const lines = [this.#parts.join(''), ...others];
    this.#parts = [];
    this.#length = 0;
    this.#keep(rest);
    for (const line of lines) {
      if (!line.startsWith(DATA)) continue;
      const data = line.slice(DATA.length).trim();
      if (data !== DONE) onValue(JSON.parse(data));
    }
  }

  #keep(part: string): void {
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length > MAX_LINE_CHARACTERS) throw new Error('an event of the runner does not end');
  }
}
