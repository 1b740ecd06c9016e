import type { Command } from 'commander';
import { join } from 'node:path';
import { findLlamaServer } from '../config/find-llama-server.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { folderOf, resolveModels, type Resolved } from '../config/resolve-models.ts';
import { readLearned } from '../config/state-file.ts';
import { readFitAnswers } from '../fit/fit-cache.ts';
import { findFitTool, type FitTool } from '../fit/fit-tool.ts';
import { fitCachePath } from '../fit/fitting.ts';
import { dataFolderOf } from '../serve.ts';
import { configOf } from './context.ts';

/** What `corral serve` would serve: the configuration that a command finds, and its models as they are on disk. */
export async function openModels(
  command: Command,
): Promise<
  LoadedConfig & Resolved & { readonly llamaServer: string | null; readonly fitTool: FitTool | null }
> {
  const { config, path, files } = configOf(command);
  const llamaServer = findLlamaServer(config.llamaServer, process.env);
  const dataFolder = dataFolderOf(config, path, process.env);
  const state = readLearned(join(dataFolder, 'learned.json'));
  const tool = findFitTool(llamaServer);
  const fit = tool ? { fit: { tool, answers: readFitAnswers(fitCachePath(dataFolder)) } } : {};
  const resolved = await resolveModels({ config, folder: folderOf(path), llamaServer, state, ...fit });
  return { config, path, files, llamaServer, fitTool: tool, ...resolved };
}
