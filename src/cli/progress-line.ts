import type { Outlet } from '../terminal/print.ts';
import { printableLine } from '../terminal/printable.ts';
import { bar } from './bar.ts';
import { cut } from '../cut.ts';

const WIDTH = 24;

/** How far something is: on a terminal one line that changes, elsewhere a line for each thing that is new. */
export class ProgressLine {
  readonly #output: Outlet;
  #shown = '';
  #isOver = false;

  constructor(output: Outlet) {
    this.#output = output;
  }

  /** `progress` is 0 to 1; null when it is not known. */
  show(text: string, progress: number | null): void {
    if (this.#isOver) return;
    const line = `${progress === null ? '' : `${progressBar(progress)} `}${text}`;
    // A line that is wrapped could not be taken away again.
    if (this.#output.isTTY) this.#output.rewriteLine(cut(printableLine(line), this.#output.columns - 1));
    else if (text !== this.#shown) this.#output.write(`${text}\n`);
    this.#shown = text;
  }

  /** Takes away what changes, and shows nothing more: whatever is written next stands in its place. */
  clear(): void {
    if (this.#output.isTTY && this.#shown !== '' && !this.#isOver) this.#output.rewriteLine('');
    this.#isOver = true;
  }

  end(text: string): void {
    this.clear();
    this.#output.write(`${text}\n`);
  }
}

const progressBar = (progress: number): string =>
  `${bar([{ part: progress, mark: '#' }], WIDTH, '-')} ${String(Math.round(progress * 100)).padStart(3)} %`;
