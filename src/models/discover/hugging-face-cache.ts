import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileTextAsync } from '../../files/read-file.ts';
import { isMissing } from '../../system-reason.ts';
import { plainModel, type DiscoveredModel, type Discovery } from './discovered-model.ts';
import { sortGgufFiles, type GgufModel } from './gguf-names.ts';
import { listFiles, textOf } from './list-files.ts';

const REPO_PREFIX = 'models--';
const COMMIT = /^[0-9a-f]{7,64}$/;
/** `refs/pr/1`; and quantisations in folders of their own. */
const REF_DEPTH = 2;
const SNAPSHOT_DEPTH = 4;

/**
 * GGUF models in a Hugging Face cache: those that a ref points to, `main` before others. A name is taken once. Throws the
 * system's error when the folder cannot be read.
 */
export async function readHuggingFaceCache(folder: string): Promise<Discovery> {
  const models: DiscoveredModel[] = [];
  const warnings: string[] = [];
  for (const entry of (await readdir(folder)).filter((name) => name.startsWith(REPO_PREFIX)).toSorted()) {
    const repo = entry.slice(REPO_PREFIX.length).replace('--', '/');
    try {
      models.push(...(await readRepo(repo, join(folder, entry), warnings)));
    } catch (error) {
      warnings.push(`${repo} in the Hugging Face cache is left out: ${textOf(error)}`);
    }
  }
  return { models, warnings };
}

async function readRepo(repo: string, folder: string, warnings: string[]): Promise<DiscoveredModel[]> {
  const models = new Map<string, DiscoveredModel>();
  for (const commit of await commitsOf(folder)) {
    const snapshot = join(folder, 'snapshots', commit);
    const files = await listFiles(snapshot, SNAPSHOT_DEPTH, warnings).catch(noneIfMissing);
    for (const model of await modelsOf(repo, snapshot, files, warnings))
      if (!models.has(model.name)) models.set(model.name, model);
  }
  return [...models.values()];
}

/** The commits that the refs of a repository name, that of `main` first. */
async function commitsOf(folder: string): Promise<ReadonlySet<string>> {
  const refs = await listFiles(join(folder, 'refs'), REF_DEPTH).catch(noneIfMissing);
  const ordered = refs.toSorted((a, b) => Number(b === 'main') - Number(a === 'main'));
  const commits = new Set<string>();
  for (const ref of ordered) {
    const commit = (await readFileTextAsync(join(folder, 'refs', ref))).trim();
    if (COMMIT.test(commit)) commits.add(commit);
  }
  return commits;
}

async function modelsOf(
  repo: string,
  snapshot: string,
  files: readonly string[],
  warnings: string[],
): Promise<DiscoveredModel[]> {
  const { models, projectors } = sortGgufFiles(files);
  const projector = (await firstPresent(snapshot, projectors)) ?? null;
  const found: DiscoveredModel[] = [];
  for (const model of models) {
    const name = `${repo}:${tagOf(model, models)}`;
    if (model.isWhole && (await areAllPresent(snapshot, model.paths)))
      found.push(plainModel(name, join(snapshot, model.paths[0]), projector && join(snapshot, projector)));
    else warnings.push(`${name} in the Hugging Face cache is left out: it is not all there`);
  }
  return found;
}

/** The quantisation where it tells a repository's models apart, else the file's name. */
export const tagOf = (model: GgufModel, all: readonly GgufModel[]): string =>
  model.quant !== null && all.every((other) => other === model || other.quant !== model.quant)
    ? model.quant
    : model.stem;

/** The files of a snapshot are links to blobs, which may have been deleted or never have come. */
const isPresent = (snapshot: string, path: string): Promise<boolean> =>
  stat(join(snapshot, path)).then(
    () => true,
    () => false,
  );

const areAllPresent = async (snapshot: string, paths: readonly string[]): Promise<boolean> =>
  (await Promise.all(paths.map((path) => isPresent(snapshot, path)))).every(Boolean);

async function firstPresent(snapshot: string, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isPresent(snapshot, path)) return path;
  return undefined;
}

const noneIfMissing = (error: unknown): readonly string[] => {
  if (isMissing(error)) return [];
  throw error;
};
