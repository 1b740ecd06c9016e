import { mkdir, stat, statfs as systemStatfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { chooseFiles } from './choose-files.ts';
import { downloadFile } from './download-file.ts';
import { checkSpace, type Statfs } from './free-space.ts';
import type { Hub } from './hub.ts';
import { listRepo, type RepoFile } from './list-repo.ts';
import { parseReference } from './parse-reference.ts';
import { partPathOf } from './part-file.ts';
import { lockFile } from './pull-lock.ts';
import { withRetries, type Patience } from './with-retries.ts';

export interface PullOptions {
  /** `hf:user/repo:Q4_K_M`. */
  readonly reference: string;
  /** The model comes into `user/repo` below it. */
  readonly folder: string;
  readonly hub: Hub;
  readonly signal: AbortSignal;
  /** Whether the projector of a model that sees is pulled too. */
  readonly withProjector: boolean;
  /** Whether files that are there are pulled anew. */
  readonly force: boolean;
  readonly onProgress: (progress: PullProgress) => void;
  readonly onNote: (note: string) => void;
  readonly statfs?: Statfs;
  readonly sleep?: Patience['sleep'];
}

export interface PullProgress {
  /** The file's name in the repository. */
  readonly file: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface Pulled {
  /** The name under which a scanned folder shows it. */
  readonly model: string;
  /** The model's files, then its projector if that was pulled. */
  readonly paths: readonly string[];
  /** The projector's name in the repository; null when it has none. */
  readonly projector: string | null;
}

interface Job {
  readonly file: RepoFile;
  readonly target: string;
}

/**
 * Pulls a model from the hub, all its parts. What is there already stays, what was broken off is gone on with. Throws an Error
 * that says what is wrong and what can be done.
 */
export async function pullModel(options: PullOptions): Promise<Pulled> {
  const reference = parseReference(options.reference);
  const { hub, signal, onNote, sleep = sleepUnlessAborted } = options;
  const patience = { signal, onNote, sleep };
  const files = await withRetries(() => listRepo(hub, reference.repo, signal), patience);
  const { model, projector } = chooseFiles(
    files.map(({ path }) => path),
    reference,
  );
  const wanted = [...model.paths, ...(options.withProjector && projector !== null ? [projector] : [])];
  const home = join(options.folder, ...reference.repo.split('/'));
  const jobs = wanted.flatMap((path) => {
    const file = files.find((one) => one.path === path);
    return file ? [{ file, target: join(home, ...path.split('/')) }] : [];
  });
  await fetchAll(jobs, reference.repo, patience, options);
  return { model: model.stem, paths: jobs.map(({ target }) => target), projector };
}

async function fetchAll(
  jobs: readonly Job[],
  repo: string,
  patience: Patience,
  { hub, folder, force, statfs = systemStatfs, onProgress, onNote }: PullOptions,
): Promise<void> {
  const release: (() => void)[] = [];
  try {
    const open: Job[] = [];
    let missingBytes = 0;
    for (const job of jobs) {
      await mkdir(dirname(job.target), { recursive: true });
      release.push(lockFile(job.target));
      if (!force && (await isThere(job))) {
        onNote(`${job.target} is there already.`);
        continue;
      }
      open.push(job);
      missingBytes += Math.max(0, job.file.bytes - ((await sizeOf(partPathOf(job.target))) ?? 0));
    }
    await checkSpace(folder, missingBytes, statfs);
    for (const { file, target } of open) {
      if (file.sha256 === null) onNote(`The hub tells no SHA-256 of ${file.path}: only its size is checked.`);
      await downloadFile({
        ...patience,
        hub,
        address: `${hub.endpoint}/${repo}/resolve/main/${file.path.split('/').map(encodeURIComponent).join('/')}`,
        target,
        expected: { bytes: file.bytes, sha256: file.sha256 },
        onProgress: (doneBytes) => onProgress({ file: file.path, doneBytes, totalBytes: file.bytes }),
      });
    }
  } finally {
    for (const free of release) free();
  }
}

/** Throws an Error when something else is there under its name. */
async function isThere({ file, target }: Job): Promise<boolean> {
  const bytes = await sizeOf(target);
  if (bytes === null || bytes === file.bytes) return bytes !== null;
  throw new Error(
    `${target} is there with ${bytes} bytes, the hub's has ${file.bytes}; --force replaces it.`,
  );
}

const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    ({ size }) => size,
    () => null,
  );

const sleepUnlessAborted = (ms: number, signal: AbortSignal): Promise<void> =>
  sleepFor(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
