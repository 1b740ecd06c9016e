import { createHash } from 'node:crypto';
import { lstat, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LaunchOptions, RunnerId } from '../../machines/vocabulary.ts';
import { makePrivateFolder } from '../disk/private-files.ts';

/** The cache of one slot, as llama-server has written it. */
const KEPT = /^slot-(\d+)\.kv$/;
const DRAFT = /\.part$/;
/** A draft that old was left by a crash. */
const DRAFT_MS = 3_600_000;

export interface ConversationBounds {
  /** Of all files together. */
  readonly mostBytes: number;
  readonly mostAgeMs: number;
}

export interface KeptFile {
  readonly slot: number;
  readonly path: string;
  readonly bytes: number;
  readonly savedAtMs: number;
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/**
 * What has been computed of conversations, on disk: `ROOT/MODEL/FINGERPRINT/slot-N.kv`, names as hashes. It holds what was said, so
 * nobody else may look into it. A file counts once it is complete; one that another process could not read is removed.
 */
export class ConversationFolder {
  readonly root: string;
  readonly #bounds: ConversationBounds;

  constructor(root: string, bounds: ConversationBounds) {
    this.root = root;
    this.#bounds = bounds;
  }

  /** Where those of a model are kept, for processes that are started so by such a program. */
  async placeOf(model: string, { conversations, binary = '' }: LaunchOptions): Promise<string> {
    const program = await stat(binary).then(
      ({ size, mtimeMs }) => [binary, size, mtimeMs],
      () => [binary],
    );
    return join(this.#folderOf(model), hashOf(JSON.stringify([conversations?.fingerprint, program])));
  }

  /** Makes a place ready to be written to, and removes what of its model no such process could read. */
  async prepare(model: string, launch: LaunchOptions): Promise<string> {
    const place = await this.placeOf(model, launch);
    await makePrivateFolder(this.root);
    await makePrivateFolder(this.#folderOf(model));
    await makePrivateFolder(place);
    const folder = this.#folderOf(model);
    for (const name of await readdir(folder))
      if (join(folder, name) !== place) await rm(join(folder, name), { recursive: true, force: true });
    return place;
  }

  /** The complete files of a place that are not too old. */
  async keptIn(place: string): Promise<KeptFile[]> {
    const files: KeptFile[] = [];
    const oldestMs = Date.now() - this.#bounds.mostAgeMs;
    for (const name of await readdir(place).catch(() => [])) {
      const slot = KEPT.exec(name)?.[1];
      const path = join(place, name);
      const seen = slot === undefined ? null : await lstat(path).catch(() => null);
      if (slot === undefined || !seen?.isFile() || seen.mtimeMs < oldestMs) continue;
      files.push({ slot: Number(slot), path, bytes: seen.size, savedAtMs: seen.mtimeMs });
    }
    return files.toSorted((a, b) => b.savedAtMs - a.savedAtMs);
  }

  /** A draft is complete: from now on it counts. */
  async keep(place: string, slot: number, draft: string): Promise<void> {
    await rename(join(place, draft), join(place, nameOf(slot)));
  }

  /** Removes what is too old, then the oldest until the rest is within bounds, and what crashes have left. */
  async tidy(): Promise<void> {
    const { mostBytes } = this.#bounds;
    const kept: KeptFile[] = [];
    for (const place of await this.#places()) {
      const files = await this.keptIn(place);
      kept.push(...files);
      for (const name of await readdir(place).catch(() => [])) {
        const path = join(place, name);
        if (files.some((file) => file.path === path)) continue;
        if (DRAFT.test(name) && !(await isOlder(path, DRAFT_MS))) continue;
        await rm(path, { recursive: true, force: true });
      }
    }
    let bytes = kept.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of kept.toSorted((a, b) => a.savedAtMs - b.savedAtMs)) {
      if (bytes <= mostBytes) return;
      await rm(file.path, { force: true });
      bytes -= file.bytes;
    }
  }

  /** Removes all, or all of one model. Returns how many bytes that were. */
  async forget(model?: string): Promise<number> {
    const folder = model === undefined ? this.root : this.#folderOf(model);
    const bytes = await bytesIn(folder);
    await rm(folder, { recursive: true, force: true });
    return bytes;
  }

  #folderOf(model: string): string {
    return join(this.root, hashOf(model));
  }

  async #places(): Promise<string[]> {
    const models = await readdir(this.root).catch(() => []);
    const places = await Promise.all(
      models.map(async (model) => {
        const folder = join(this.root, model);
        return (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
      }),
    );
    return places.flat();
  }
}

/** The name of a slot's file while a runner writes it. */
export const draftOf = (slot: number, runnerId: RunnerId): string => `slot-${slot}.${runnerId}.part`;
/** The same once it is complete. */
export const nameOf = (slot: number): string => `slot-${slot}.kv`;

const isOlder = async (path: string, ms: number): Promise<boolean> =>
  lstat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > ms,
    () => false,
  );

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.flatMap((entry) =>
      entry.isFile()
        ? lstat(join(entry.parentPath, entry.name)).then(
            ({ size }) => size,
            () => 0,
          )
        : [],
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
