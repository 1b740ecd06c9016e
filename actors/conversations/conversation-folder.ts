import { createHash } from 'node:crypto';
import { lstat, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { LaunchOptions, RunnerId } from '../../machines/vocabulary.ts';
import { makePrivateFolder } from '../disk/private-files.ts';

/**
 * The cache of one slot, as llama-server has written it; the name says how many bytes that were. What follows tells it from those that other
 * processes of the same model have left.
 */
const KEPT = /^slot-(\d+)\.(\d+)(?:\.\w+)?\.kv$/;
const UNFINISHED = /\.(?:part|reading)$/;
/** One that old was left by a crash. */
const UNFINISHED_MS = 3_600_000;

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

/** A file, and the slot of a new process that is to have it. */
export interface Chosen {
  readonly file: KeptFile;
  readonly slot: number;
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/**
 * What has been computed of conversations, on disk: `ROOT/MODEL/FINGERPRINT/slot-N.BYTES.ID.kv`, names as hashes. It holds what was said,
 * so nobody else may look into it. A file counts once it is complete, and as long as it has its size: llama-server trusts what it reads,
 * and aborts where that is cut.
 */
export class ConversationFolder {
  readonly root: string;
  readonly #bounds: ConversationBounds;
  /** Of each model's folder the place that was made ready last: somebody waits for whatever comes after it. */
  readonly #prepared = new Map<string, string>();
  /** Whose files are: of the process that has read or written them, and for which slot. A process that ended in whatever manner may leave some here. */
  readonly #owners = new Map<string, { readonly runnerId: RunnerId; readonly slot: number }>();
  #lastId = 0;

  constructor(root: string, bounds: ConversationBounds) {
    this.root = root;
    this.#bounds = bounds;
  }

  /** Where those of a model are kept, for processes that are started so by such a program. */
  async placeOf(model: string, launch: LaunchOptions): Promise<string> {
    const { conversations } = launch;
    const binary = launch.runtime === 'command' ? '' : (launch.binary ?? '');
    const program = await stat(binary).then(
      ({ size, mtimeMs }) => [binary, size, mtimeMs],
      () => [binary],
    );
    return join(this.#folderOf(model), hashOf(JSON.stringify([conversations?.fingerprint, program])));
  }

  /** Makes a place ready to be written to, and removes what of its model no such process could read. */
  async prepare(model: string, launch: LaunchOptions): Promise<string> {
    const place = await this.placeOf(model, launch);
    const folder = this.#folderOf(model);
    if (this.#prepared.get(folder) === place && (await isFolder(place))) return place;
    for (const one of [this.root, folder, place]) await makePrivateFolder(one);
    for (const name of await readdir(folder))
      if (join(folder, name) !== place) await rm(join(folder, name), { recursive: true, force: true });
    this.#prepared.set(folder, place);
    return place;
  }

  /** The complete files of a place that are not too old. */
  async keptIn(place: string): Promise<KeptFile[]> {
    const files: KeptFile[] = [];
    const oldestMs = Date.now() - this.#bounds.mostAgeMs;
    for (const name of await readdir(place).catch(() => [])) {
      const [, slot, bytes] = KEPT.exec(name) ?? [];
      const path = join(place, name);
      const seen = slot === undefined ? null : await lstat(path).catch(() => null);
      if (slot === undefined || !seen?.isFile() || seen.mtimeMs < oldestMs) continue;
      if (seen.size !== Number(bytes)) continue;
      files.push({ slot: Number(slot), path, bytes: seen.size, savedAtMs: seen.mtimeMs });
    }
    return files.toSorted((a, b) => b.savedAtMs - a.savedAtMs);
  }

  /**
   * What a new process of that many slots is to read: the newest first, and before all others those that no process of its model has
   * already, so that replicas do not all go on with the same conversations. Each goes to its own slot where that is free.
   */
  async chooseFor(place: string, runnerId: RunnerId, slots: number): Promise<readonly Chosen[]> {
    const kept = await this.keptIn(place);
    const files = kept
      .toSorted((a, b) => Number(this.#owners.has(a.path)) - Number(this.#owners.has(b.path)))
      .slice(0, slots);
    const free = new Set(Array.from({ length: slots }, (_, slot) => slot));
    const own = files.filter(({ slot }) => free.delete(slot));
    const chosen = files.map((file) => {
      const slot = own.includes(file) ? file.slot : ([...free][0] ?? 0);
      free.delete(slot);
      return { file, slot };
    });
    for (const { file, slot } of chosen) this.#owners.set(file.path, { runnerId, slot });
    return chosen;
  }

  /** A process has gone: what it had belongs to nobody. */
  release(runnerId: RunnerId): void {
    for (const [path, owner] of this.#owners) if (owner.runnerId === runnerId) this.#owners.delete(path);
  }

  /** A draft is complete: from now on it counts, in place of what the same process has read into that slot; what others have left stays. */
  async keep(place: string, runnerId: RunnerId, slot: number, draft: string): Promise<void> {
    const { size } = await stat(join(place, draft));
    this.#lastId = Math.max(this.#lastId + 1, Date.now());
    await rename(join(place, draft), join(place, `slot-${slot}.${size}.${this.#lastId.toString(36)}.kv`));
    for (const [path, owner] of this.#owners)
      if (owner.runnerId === runnerId && owner.slot === slot) await rm(path, { force: true });
  }

  /** While a file is read it does not count: one that ends its reader is not read again. Returns its name meanwhile. */
  async beginReading({ path }: KeptFile): Promise<string> {
    const reading = path.replace(/kv$/, 'reading');
    await rename(path, reading);
    return basename(reading);
  }

  /** It was read well, and counts again. */
  async endReading({ path }: KeptFile): Promise<void> {
    await rename(path.replace(/kv$/, 'reading'), path);
  }

  /** It could not be read, and would not be the next time either. */
  async discard({ path }: KeptFile): Promise<void> {
    await rm(path.replace(/kv$/, 'reading'), { force: true });
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
        if (UNFINISHED.test(name) && !(await isOlder(path, UNFINISHED_MS))) continue;
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

const isFolder = (path: string): Promise<boolean> =>
  lstat(path).then(
    (seen) => seen.isDirectory(),
    () => false,
  );

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
