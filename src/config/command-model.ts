import { stat } from 'node:fs/promises';
import type { CommandLaunch, ModelSpec, Program } from '../../machines/vocabulary.ts';
import { ModelFileError, type ModelFile } from '../models/read-model-file.ts';
import { modelOrThrow, type ModelReader } from '../models/read-models-once.ts';
import { DEFAULT_SLOTS, planOf, type LaunchParts } from './launch-of.ts';
import { needOf, readBeside, type Need } from './need-of.ts';
import { pathOf } from './path-of.ts';
import { isGguf } from './program-keys.ts';
import { saidMemory } from './said-memory.ts';
import type { ModelConfig } from './schema.ts';

const DEFAULT_PATHS = ['/v1/*'];
const NOT_KEPT = 'only llama-server can write them down';

/** A model that another program serves, as far as that differs from one of llama-server. */
export interface CommandModel
  extends
    Need,
    Pick<ModelSpec, 'placement' | 'devices' | 'spread' | 'shares' | 'foreign' | 'conversationsLost'> {
  readonly launch: CommandLaunch;
  /** Of its file, where it has one; else of nothing. */
  readonly file: Pick<ModelFile, 'bytes' | 'modifiedAtMs'>;
}

/** Throws a `ModelFileError` for a file that is not there, or, where its memory is not said, is no model. */
export async function commandModel(
  name: string,
  model: ModelConfig,
  parts: LaunchParts,
  read: ModelReader,
): Promise<CommandModel> {
  const { defaults } = parts.config;
  const { placement = defaults.placement ?? 'gpu-or-cpu' } = model;
  const { path, stats } = await placeOf(model.path, parts.folder);
  const said = saidMemory(model);
  const spread = model.spread ?? defaults.spread;
  const context = model.context ?? defaults.context;
  const launch: CommandLaunch = {
    runtime: 'command',
    program: programOf(model, parts.folder),
    modelPath: path,
    adapterPaths: [],
    contextTokens: typeof context === 'number' ? context : 0,
    slots: model.slots ?? defaults.slots ?? DEFAULT_SLOTS,
    embedding: model.kind === 'embedding',
    extraArgs: [],
  };
  const predicted = said.bytes === null ? await predictedOf(model, path, parts, read) : null;
  return {
    launch: predicted ? { ...launch, contextTokens: predicted.contextTokens } : launch,
    ...(predicted?.need ?? { needBytes: said.bytes ?? 0, needSource: 'configured' }),
    ...(said.hostBytes > 0 && { hostBytes: said.hostBytes }),
    placement: placement === 'experts-on-cpu' ? 'gpu-or-cpu' : placement,
    devices: model.devices ?? null,
    ...(spread !== undefined && { spread }),
    ...said.place,
    foreign: { calledAs: model.calledAs ?? name, paths: model.paths ?? DEFAULT_PATHS },
    conversationsLost: NOT_KEPT,
    file: stats ?? { bytes: 0, modifiedAtMs: 0 },
  };
}

/** A program by a path is taken from the configuration's folder; one by its name alone is in PATH. */
function programOf(
  { command = [], env, folder, ready, stop, listener = 'own' }: ModelConfig,
  configFolder: string,
): Program {
  const started = ([file = '', ...args]: readonly string[]): readonly string[] => [
    file.includes('/') ? pathOf(configFolder, file) : file,
    ...args,
  ];
  return {
    command: started(command),
    env,
    folder: folder === undefined ? null : pathOf(configFolder, folder),
    health: ready ?? { path: '/health', status: 200 },
    stop: stop ? started(stop) : null,
    listener,
  };
}

interface Place {
  readonly path: string;
  readonly stats: Pick<ModelFile, 'bytes' | 'modifiedAtMs'> | null;
}

/** What it calls its model is a file or a folder if there is one; else a name that the program makes something of. */
async function placeOf(written: string | undefined, folder: string): Promise<Place> {
  if (written === undefined) return { path: '', stats: null };
  const path = pathOf(folder, written);
  const found = await stat(path).catch(() => null);
  if (found) return { path, stats: { bytes: found.isFile() ? found.size : 0, modifiedAtMs: found.mtimeMs } };
  if (/^(?:\/|~\/|\.\.?\/)/.test(written) || isGguf(written))
    throw new ModelFileError('model_file_missing', `${path} cannot be opened: there is none`);
  return { path: written, stats: null };
}

/** The need of a GGUF file as llama-server would have it, on GPUs as a whole: another program of its kind needs about as much. */
async function predictedOf(
  model: ModelConfig,
  path: string,
  parts: LaunchParts,
  read: ModelReader,
): Promise<{ readonly need: Need; readonly contextTokens: number }> {
  const file = modelOrThrow(await read(path));
  const { args: _, ...defaults } = parts.config.defaults;
  const planned = planOf({ ...model, promptCache: 0, runtime: 'llama-server' }, file, {
    ...parts,
    config: { ...parts.config, defaults },
  });
  const { needBytes, needSource, hostBytes, needParts } = needOf({
    planned,
    file,
    beside: await readBeside(planned),
    configuredBytes: null,
    measuredBytes: null,
    measuredHostBytes: null,
  });
  return {
    need: {
      needBytes,
      needSource,
      ...(hostBytes !== undefined && { hostBytes }),
      ...(needParts && { needParts }),
    },
    contextTokens: planned.launch.contextTokens,
  };
}
