import { lstat, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InBackground, type DiskTrouble } from './in-background.ts';
import { openToAppend } from './private-files.ts';

/** What may wait for a slow disk, or for one that comes back; lines beyond that are lost, and counted. */
const MOST_WAITING = 1024 ** 2;
/** Lines that come so close together are written together. */
const GATHER_MS = 20;

export interface GrowingFileParts {
  readonly folder: string;
  /** The file is `NAME.log`, and before it there were `NAME.1.log`, `NAME.2.log` and so on. */
  readonly name: string;
  /** It is begun anew when it has so many bytes. */
  readonly size: number;
  /** So many of the earlier ones are kept. */
  readonly keep: number;
  readonly trouble: DiskTrouble;
  readonly onBegunAnew: () => void;
}

/**
 * A file that lines are added to, beside the work. It is opened for each bundle of lines, so that a folder which was moved away
 * or comes back is noticed.
 */
export class GrowingFile {
  readonly #parts: GrowingFileParts;
  readonly #writing: InBackground;
  #lines: string[] = [];
  #waiting = 0;
  #lost = 0;
  #isClosing = false;

  constructor(parts: GrowingFileParts) {
    this.#parts = parts;
    this.#writing = new InBackground(this.#path(0), () => this.#write(), parts.trouble);
  }

  /** Adds a line, which ends with a line feed. */
  add(line: string): void {
    if (this.#waiting + line.length > MOST_WAITING) {
      this.#lost++;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length;
    this.#writing.ask();
  }

  /** Resolves when everything has been written, could not be, or `withinMs` have passed. */
  async close(withinMs: number): Promise<void> {
    this.#isClosing = true;
    await this.#writing.flush(withinMs);
    this.#writing.close();
  }

  async #write(): Promise<void> {
    if (!this.#isClosing) await sleep(GATHER_MS, undefined, { ref: false });
    const count = this.#lines.length;
    const lost = this.#lost;
    const text = this.#lines.join('') + (lost > 0 ? `(${lost} lines could not be written)\n` : '');
    if (await isFull(this.#path(0), this.#parts.size)) await this.#beginAnew();
    await append(this.#path(0), text);
    this.#waiting -= this.#lines.splice(0, count).reduce((sum, line) => sum + line.length, 0);
    this.#lost -= lost;
  }

  async #beginAnew(): Promise<void> {
    for (let index = this.#parts.keep; index > 0; index--)
      await rename(this.#path(index - 1), this.#path(index)).catch(unlessMissing);
    if (this.#parts.keep === 0) await rm(this.#path(0), { force: true });
    this.#parts.onBegunAnew();
  }

  #path(index: number): string {
    const { folder, name } = this.#parts;
    return join(folder, index === 0 ? `${name}.log` : `${name}.${index}.log`);
  }
}

const isFull = async (path: string, mostBytes: number): Promise<boolean> =>
  ((await lstat(path).catch(unlessMissing))?.size ?? 0) >= mostBytes;

/** Of a text that finds no room in whole nothing is left. */
async function append(path: string, text: string): Promise<void> {
  const file = await openToAppend(path);
  try {
    const { size } = await file.stat();
    try {
      await file.writeFile(text);
    } catch (error) {
      await file.truncate(size);
      throw error;
    }
  } finally {
    await file.close();
  }
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
