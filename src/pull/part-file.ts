import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { readFileTextAsync } from '../files/read-file.ts';

const noteSchema = z.object({
  etag: z.string().nullable(),
  bytes: z.number(),
  sha256: z.string().nullable(),
});

/** What a file is to be when it is whole. */
export interface Expected {
  readonly bytes: number;
  /** Hexadecimal; null when the hub does not say. */
  readonly sha256: string | null;
}

/** Where the bytes of an unfinished download lie. */
export const partPathOf = (target: string): string => `${target}.part`;
const notePathOf = (target: string): string => `${target}.part.json`;

/**
 * A download that is not finished: its bytes in `.part`, and in `.part.json` what they are part of. It gets its name only once
 * it is whole and right. Only one process may have it open.
 */
export class PartFile {
  readonly #target: string;
  readonly #expected: Expected;
  readonly #file: FileHandle;
  #hash: Hash;
  #bytes: number;
  #etag: string | null;

  private constructor(target: string, expected: Expected, file: FileHandle, start: Start) {
    this.#target = target;
    this.#expected = expected;
    this.#file = file;
    ({ hash: this.#hash, bytes: this.#bytes, etag: this.#etag } = start);
  }

  /** Opens what an earlier download has left of the same file, or an empty one. */
  static async open(target: string, expected: Expected): Promise<PartFile> {
    const etag = await etagOf(target, expected);
    const file = await open(partPathOf(target), 'a');
    try {
      if (etag === null) await file.truncate(0);
      const start = await hashOf(partPathOf(target));
      return new PartFile(target, expected, file, { ...start, etag });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }
  /** The strong ETag of what the bytes are of; without one they cannot be added to. */
  get etag(): string | null {
    return this.#etag;
  }
  get isWhole(): boolean {
    return this.#bytes === this.#expected.bytes;
  }

  /** Drops all bytes; those that follow are of this version. */
  async restart(etag: string | undefined): Promise<void> {
    await this.#file.truncate(0);
    this.#bytes = 0;
    this.#hash = createHash('sha256');
    this.#etag = etag?.startsWith('"') ? etag : null;
    await writeFile(notePathOf(this.#target), JSON.stringify({ etag: this.#etag, ...this.#expected }));
  }

  /** Throws an Error, before a byte is written, when there would be more than there should be. */
  async append(chunk: Uint8Array): Promise<void> {
    if (this.#bytes + chunk.length > this.#expected.bytes)
      throw new Error(
        `${this.#target} is longer than the ${this.#expected.bytes} bytes that the hub has told.`,
      );
    await this.#file.appendFile(chunk);
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Checks the content and gives it its name. Throws an Error, and deletes it, when it is wrong. */
  async finish(): Promise<void> {
    const { sha256 } = this.#expected;
    const found = this.#hash.copy().digest('hex');
    if (sha256 !== null && found !== sha256) {
      await this.restart(undefined);
      await this.#remove();
      throw new Error(
        `${this.#target} came wrong and was deleted: its SHA-256 is ${found}, it should be ${sha256}.`,
      );
    }
    await this.#file.sync();
    await rename(partPathOf(this.#target), this.#target);
    await rm(notePathOf(this.#target), { force: true });
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #remove(): Promise<void> {
    await rm(partPathOf(this.#target), { force: true });
    await rm(notePathOf(this.#target), { force: true });
  }
}

interface Start {
  readonly hash: Hash;
  readonly bytes: number;
  readonly etag: string | null;
}

/** The ETag of an earlier download, if it was one of the same file; null when it cannot be gone on with. */
async function etagOf(target: string, expected: Expected): Promise<string | null> {
  try {
    const note = noteSchema.parse(JSON.parse(await readFileTextAsync(notePathOf(target))));
    return note.bytes === expected.bytes && note.sha256 === expected.sha256 ? note.etag : null;
  } catch {
    return null; // there is none, or it was cut off: the download starts over
  }
}

async function hashOf(path: string): Promise<{ hash: Hash; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { hash, bytes };
}
