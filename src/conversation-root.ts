import { join } from 'node:path';
import { defaultDataFolder } from './config/find-config.ts';
import { pathOf } from './config/path-of.ts';
import { folderOf } from './config/resolve-models.ts';
import type { Config } from './config/schema.ts';

/** Where conversations are kept: the folder of the configuration, else one in the data folder. */
export function conversationRootOf(
  { conversations, dataFolder }: Config,
  configPath: string | null,
  env: NodeJS.ProcessEnv,
): string {
  const base = folderOf(configPath);
  if (conversations.folder !== undefined) return pathOf(base, conversations.folder);
  return join(dataFolder === undefined ? defaultDataFolder(env) : pathOf(base, dataFolder), 'conversations');
}
