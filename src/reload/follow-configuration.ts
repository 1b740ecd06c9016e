import { folderOf, storesOf } from '../config/resolve-models.ts';
import { lookAtConfig } from '../config/config-files.ts';
import { pathOf } from '../config/path-of.ts';
import type { Config } from '../config/schema.ts';
import { followFile } from '../files/follow-file.ts';
import { followLooks } from '../files/follow-looks.ts';
import { lookAtFolders } from '../models/look-at-folders.ts';
import type { Reloader } from './reloader.ts';

/** Folders are larger than a file, and change less. */
const LOOK_AT_MODELS_EVERY_MS = 2_000;
const LOOK_AT_FILES_EVERY_MS = 1_000;

/** Which models lie where a configuration has them looked for, as a text that is equal as long as they are the same. */
export function lookAtModels(config: Config, configPath: string | null): Promise<string> {
  const folder = folderOf(configPath);
  return lookAtFolders({
    folders: config.folders.map((path) => pathOf(folder, path)),
    stores: Object.values(storesOf(config, folder)).flat(),
  });
}

/**
 * Has the configuration read again when its file changes, and when a model comes or goes where it has them looked for by then;
 * `firstLook` is what was there when models were last read. What is wrong is logged by the reloader. Ends with the answer.
 */
export function followConfiguration(
  named: readonly string[],
  configPath: string,
  reloader: Reloader,
  firstLook: string,
): () => void {
  const onChange = (): void => void reloader.reload('file').catch(() => {});
  const unfollowFile =
    named.length === 1 && named[0] === configPath
      ? followFile(configPath, onChange)
      : followLooks({
          look: () => Promise.resolve(lookAtConfig(named)),
          first: lookAtConfig(named),
          onChange,
          everyMs: LOOK_AT_FILES_EVERY_MS,
        });
  const unfollowModels = followLooks({
    look: () => lookAtModels(reloader.config, configPath),
    first: firstLook,
    onChange: () => void reloader.reload('folder').catch(() => {}),
    everyMs: LOOK_AT_MODELS_EVERY_MS,
  });
  return () => {
    unfollowFile();
    unfollowModels();
  };
}
