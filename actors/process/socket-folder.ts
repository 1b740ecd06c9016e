import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './process-group.ts';

/** `sun_path` of a socket's address is 108 bytes on Linux and 104 elsewhere, the closing zero included. */
const MAX_PATH_BYTES = 103;
const NAME = /^corral-runners-(\d+)-\w{6}$/;

/**
 * A folder for the Unix sockets that runners answer at. Nobody but this user may enter it (0700), so nobody else can
 * put a socket there or connect to one. It is made when it is first needed, under a name that cannot be guessed.
 */
export class SocketFolder {
  /** Programs that know no sockets: older releases of llama-server. */
  readonly #unable = new Set<string>();
  readonly #parent: string;
  readonly #onNote: (note: string) => void;
  /** Null once it could not be made: a temporary folder that is full or read-only stays so for a while. */
  #folder: string | null | undefined;

  constructor(onNote: (note: string) => void, parent: string = tmpdir()) {
    this.#parent = parent;
    this.#onNote = onNote;
  }

  /** Where a runner of this program is to make its socket; null where there can be none, and a port has to do. */
  pathFor(program: string, name: string): string | null {
    if (this.#unable.has(program)) return null;
    if (this.#folder === undefined) this.#folder = this.#make();
    const path = this.#folder && join(this.#folder, `${name}.sock`);
    if (path === null || Buffer.byteLength(path) <= MAX_PATH_BYTES) return path;
    this.#give(`${path} is longer than the ${MAX_PATH_BYTES} bytes that a socket's path may have`);
    return null;
  }

  /** A program that could make none of it: its runners answer at ports from now on. */
  rememberUnable(program: string): void {
    this.#unable.add(program);
    this.#onNote(`${program} knows no Unix sockets: its runners answer at ports`);
  }

  /** Removes what a process that has ended has left there; never throws, as its end has to be told all the same. */
  release(path: string): void {
    removeIfPossible(path);
  }

  /** Removes the folder; fit for an `exit` handler. */
  remove(): void {
    if (this.#folder) removeIfPossible(this.#folder);
    this.#folder = undefined;
  }

  /** Removes the folders of Corrals that were killed. */
  sweep(): void {
    for (const name of readdirSync(this.#parent)) {
      const pid = NAME.exec(name)?.[1];
      if (pid === undefined || isAlive(Number(pid))) continue;
      removeIfPossible(join(this.#parent, name));
    }
  }

  #make(): string | null {
    try {
      this.sweep();
      return mkdtempSync(join(this.#parent, `corral-runners-${process.pid}-`));
    } catch (error) {
      this.#give(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  #give(reason: string): void {
    this.#folder = null;
    this.#onNote(`runners answer at ports, not at Unix sockets: ${reason}`);
  }
}

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Another user's, or on a disk that takes no changes: the next start tries again.
  }
}
