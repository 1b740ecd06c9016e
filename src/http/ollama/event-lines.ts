import { StringDecoder } from 'node:string_decoder';

/** Longer lines are no runner's: a line is one chunk of a reply. */
const MAX_LINE_CHARACTERS = 16 * 1024 ** 2;
const DATA = 'data:';
const DONE = '[DONE]';

/** Takes a stream of server-sent events apart, split anywhere, into the JSON values of their data. */
export class EventLines {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** Calls back for each complete event. Throws when the stream is not one of JSON events. */
  push(chunk: Buffer, onValue: (value: unknown) => void): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_LINE_CHARACTERS) throw new Error('an event of the runner does not end');
    for (const line of lines) {
      if (!line.startsWith(DATA)) continue;
      const data = line.slice(DATA.length).trim();
      if (data !== DONE) onValue(JSON.parse(data));
    }
  }
}
