const NEWLINE = 0x0a;

/** Watches a stream of events pass, to know whether it stands at the end of one. */
export class EventBreak {
  #last = NEWLINE;
  #lastButOne = NEWLINE;

  see(chunk: Buffer): void {
    this.#lastButOne = chunk.at(-2) ?? this.#last;
    this.#last = chunk.at(-1) ?? this.#last;
  }

  /** What ends the event that may have been cut. */
  get missing(): string {
    if (this.#last !== NEWLINE) return '\n\n';
    return this.#lastButOne === NEWLINE ? '' : '\n';
  }
}
