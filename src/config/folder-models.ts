import type { FileKind } from '../models/file-kind.ts';
import { ModelFileError } from '../models/read-model-file.ts';
import type { ModelReader, ReadResult } from '../models/read-models-once.ts';
import { pairProjectors } from '../models/projector-beside.ts';
import type { Scan } from '../models/scan-folders.ts';
import { giveNames, type GivenName } from './file-names.ts';
import type { FreeNames } from './free-names.ts';

export interface FolderModel extends GivenName {
  readonly projectorPath: string | null;
}

export interface FolderModels {
  readonly models: readonly FolderModel[];
  readonly warnings: readonly string[];
}

export interface FolderParts {
  readonly found: Scan;
  /** Of each file that was found, by its path. */
  readonly read: ModelReader;
  /** Files that have an entry of their own in the configuration. */
  readonly isConfigured: (path: string) => boolean;
  readonly names: FreeNames;
  readonly known: ReadonlyMap<string, string>;
}

/**
 * The models of the configuration's folders: files of other kinds are left out, those that cannot be read stay with their problem. Each
 * has a name of its own, and the projector that lies beside it.
 */
export async function folderModels({
  found,
  read,
  isConfigured,
  names,
  known,
}: FolderParts): Promise<FolderModels> {
  const kinds = await Promise.all(
    found.files.map(async (file) => ({ ...file, kind: kindOf(await read(file.path)) })),
  );
  const models = kinds.filter(({ kind }) => kind === 'model');
  const projectors = kinds.flatMap(({ kind, path }) => (kind === 'projector' ? [path] : []));
  const paired = pairProjectors(
    models.map(({ path }) => path),
    [...found.projectors, ...projectors],
  );
  const given = giveNames(
    models.filter(({ path }) => !isConfigured(path)),
    names,
    known,
  );
  return {
    models: given.models.map((model) => ({
      ...model,
      projectorPath: paired.projectors.get(model.path) ?? null,
    })),
    warnings: [...found.warnings, ...given.warnings, ...paired.warnings],
  };
}

/** What cannot be read may have been meant as a model. */
export const kindOf = (read: ReadResult): FileKind => (read instanceof ModelFileError ? 'model' : read.kind);
