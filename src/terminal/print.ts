import { printable, printableJson } from './printable.ts';

/** What an outlet needs of a stream; standard output and standard error have it. */
interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/** The way out for text that people read: it shows itself, and steers nothing. */
export class Outlet {
  readonly #stream: () => Stream;
  readonly #onError: (error: NodeJS.ErrnoException) => void;
  #isFollowed = false;

  constructor(stream: () => Stream, onError: (error: NodeJS.ErrnoException) => void = () => {}) {
    this.#stream = stream;
    this.#onError = onError;
  }

  get isTTY(): boolean {
    return this.#stream().isTTY ?? false;
  }

  /** Of a terminal; infinite elsewhere. */
  get columns(): number {
    return this.#stream().columns ?? Infinity;
  }

  write(text: string): void {
    this.#send(printable(text));
  }

  /** Writes what a program may read; a terminal is shown what is printable of it. */
  writeData(text: string): void {
    this.#send(this.isTTY ? printable(text) : text);
  }

  writeJson(value: unknown): void {
    this.#send(`${printableJson(JSON.stringify(value, null, 2))}\n`);
  }

  /** Puts a text in place of the line on which a terminal's cursor stands. */
  rewriteLine(text: string): void {
    this.#send(`\r\u001B[2K${printable(text)}`);
  }

  #send(text: string): void {
    const stream = this.#stream();
    if (!this.#isFollowed) stream.on?.('error', this.#onError);
    this.#isFollowed = true;
    stream.write(text);
  }
}

/** As a shell has it of a program that SIGPIPE ended. */
const ENDED_BY_SIGPIPE = 141;

export const stdout = new Outlet(
  () => process.stdout,
  (error) => {
    // Who reads has had enough: `corral logs a | head`.
    if (error.code === 'EPIPE') process.exit(ENDED_BY_SIGPIPE);
    stderr.write(`the output could not be written: ${error.message}\n`);
    process.exit(1);
  },
);
/** For what is said beside the result: nobody has to read it. */
export const stderr = new Outlet(() => process.stderr);
