import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { readCpu } from '../../actors/probes/cpu.ts';
import type { ModelSpec } from '../../machines/vocabulary.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import type { FitAnswers } from '../fit/fit-cache.ts';
import { fitQuestionOf, type FitQuestion } from '../fit/fit-question.ts';
import type { FitTool } from '../fit/fit-tool.ts';
import { discoverModels } from '../models/discover/discover-models.ts';
import type { DiscoveredModel } from '../models/discover/discovered-model.ts';
import { storePlaces, wantedFolders } from '../models/discover/store-places.ts';
import { ModelFileError, type ModelFile } from '../models/read-model-file.ts';
import { modelOrThrow, readModelsOnce, type ModelReader } from '../models/read-models-once.ts';
import { scanFolders } from '../models/scan-folders.ts';
import { folderModels, kindOf, type FolderModel } from './folder-models.ts';
import { commandModel } from './command-model.ts';
import { conversationsOf } from './conversations-of.ts';
import { FreeNames } from './free-names.ts';
import { planOf, type LaunchParts, type Planned } from './launch-of.ts';
import { findModel } from './model-names.ts';
import { fittedNeed, needOf, readBeside, unusedByServer } from './need-of.ts';
import { pathOf } from './path-of.ts';
import { saidMemory } from './said-memory.ts';
import { configSchema, type Config, type ModelConfig, type ModelInput } from './schema.ts';
import { definedOnly, sharedFacts } from './shared-facts.ts';
import type { StateFile } from './state-file.ts';
import { strangeSettings } from './strange-settings.ts';

/** Before the first load: a constant and a disk that reads this fast (docs/policy.md). */
const LOAD_BASE_MS = 1_500;
const LOAD_BYTES_PER_MS = 2.5e6;

export interface ResolveParts {
  readonly config: Config;
  /** Where relative paths start: the configuration's folder. */
  readonly folder: string;
  readonly llamaServer: string | null;
  readonly state: Pick<StateFile, 'of'>;
  /** Names that files have been given before, by path: what is loaded keeps its name. */
  readonly known?: ReadonlyMap<string, string>;
  /** Where llama-fit-params lies beside llama-server. */
  readonly fit?: { readonly tool: FitTool; readonly answers: FitAnswers };
}

/** With what is known of this machine. */
type HereParts = ResolveParts & Pick<LaunchParts, 'mainMemoryBytes'>;

export interface Resolved {
  readonly entries: readonly CatalogueEntry[];
  readonly warnings: readonly string[];
}

/**
 * All models: those of the configuration, those found in its folders and those of other programs that it asks for, under names that
 * are still free. A model whose file cannot be used stays in the list with its problem; it spoils nothing for the others.
 */
export async function resolveModels(parts: ResolveParts): Promise<Resolved> {
  const { config, folder, known = new Map<string, string>() } = parts;
  const read = readModelsOnce();
  const configured = Object.entries(config.models).map(([name, model]) => ({ name, model }));
  const names = new FreeNames([
    ...configured.flatMap(({ name, model }) => [name, ...model.aliases, ...Object.keys(model.variants)]),
    ...Object.keys(config.anyOf),
  ]);
  const ours = await placesOf(
    configured.flatMap(({ model: { path } }) => (path === undefined ? [] : [pathOf(folder, path)])),
  );
  const found = await scanFolders(config.folders.map((path) => pathOf(folder, path)));
  const isConfigured = (path: string): boolean => ours.has(path);
  const scanned = await folderModels({ found, read, isConfigured, names, known });
  const others = await discoverModels(storesOf(config, folder));
  for (const { path } of found.files) ours.add(path);
  const theirs = await onlyModels(others.models, read);
  const discovered = theirs
    .filter(({ name, path }) => !ours.has(path) && names.take(name, path))
    .map((one) => ({ name: one.name, model: discoveredModel(one, names, config) }));
  const here = { ...parts, mainMemoryBytes: await mainMemoryOf(config) };
  const all = [...configured, ...scanned.models.map(folderModel), ...discovered];
  const entries = await Promise.all(all.map((one, rank) => resolveModel({ ...one, rank }, here, read)));
  const warnings = [
    ...strangeSettings(config),
    ...namesOfNone(config, entries),
    ...scanned.warnings,
    ...others.warnings,
    ...names.warnings,
  ];
  return { entries, warnings };
}

/** Files as they are named, and where they really are. */
async function placesOf(paths: readonly string[]): Promise<Set<string>> {
  const places = await Promise.all(paths.map((path) => realpath(path).catch(() => path)));
  return new Set([...paths, ...places]);
}

async function onlyModels(
  models: readonly DiscoveredModel[],
  read: ModelReader,
): Promise<readonly DiscoveredModel[]> {
  const kinds = await Promise.all(models.map(async ({ path }) => kindOf(await read(path))));
  return models.filter((_, index) => kinds[index] === 'model');
}

const folderModel = ({
  name,
  path,
  aliases,
  projectorPath,
}: FolderModel): { name: string; model: ModelConfig } => ({
  name,
  model: modelOf({
    path,
    aliases: [...aliases],
    ...(projectorPath !== null && { projector: projectorPath }),
  }),
});

const modelOf = (model: ModelInput): ModelConfig => configSchema.shape.models.unwrap().valueType.parse(model);

/** Names that other names are to stand for, and that no model has. */
const namesOfNone = (
  { anyOf, defaultModel }: Pick<Config, 'anyOf' | 'defaultModel'>,
  entries: readonly CatalogueEntry[],
): string[] => {
  const isNone = (name: string): boolean => !findModel(name, entries);
  return [
    ...Object.entries(anyOf).flatMap(([name, models]) =>
      models.filter(isNone).map((one) => `anyOf.${name} names '${one}', and there is no such model`),
    ),
    ...(defaultModel !== undefined && isNone(defaultModel) && !Object.hasOwn(anyOf, defaultModel)
      ? [`defaultModel is '${defaultModel}', and there is no such model`]
      : []),
  ];
};

/** The folders of other programs' models that a configuration asks for. */
export function storesOf(config: Config, folder: string): ReturnType<typeof wantedFolders> {
  const places = storePlaces({ env: process.env, home: homedir(), platform: process.platform });
  return wantedFolders(config.discover, places, (path) => pathOf(folder, path));
}

/** A model as another program keeps it; its own arguments win over the configuration's defaults. */
const discoveredModel = (
  { path, aliases, projectorPath, adapterPaths, contextTokens, args }: DiscoveredModel,
  names: FreeNames,
  { defaults }: Config,
): ModelConfig =>
  modelOf({
    path,
    aliases: aliases.filter((alias) => names.take(alias, path)),
    ...(projectorPath !== null && { projector: projectorPath }),
    adapters: [...adapterPaths],
    ...(contextTokens !== null && { context: contextTokens }),
    ...(args.length > 0 && { args: [...(defaults.args ?? []), ...args] }),
  });

async function resolveModel(
  { name, model, rank }: { name: string; model: ModelConfig; rank: number },
  parts: HereParts,
  read: ModelReader,
): Promise<CatalogueEntry> {
  const { variants } = model;
  const common = {
    name,
    aliases: [...new Set([...model.aliases, ...Object.keys(variants)])].filter((one) => one !== name),
    variants,
  };
  try {
    const { file, ...made } =
      model.command === undefined
        ? await llamaEntry(name, model, parts, read)
        : await commandEntry(name, model, parts, read);
    const { question } = made;
    const spec = { ...made.spec, rank };
    return {
      ...common,
      createdAtSeconds: Math.floor(file.modifiedAtMs / 1000),
      spec,
      problem: null,
      ...(question && { question }),
    };
  } catch (error) {
    if (!(error instanceof ModelFileError)) throw error;
    return { ...common, createdAtSeconds: 0, spec: null, problem: error.failure };
  }
}

interface Made {
  readonly spec: ModelSpec;
  readonly question?: FitQuestion;
  readonly file: Pick<ModelFile, 'modifiedAtMs'>;
}

async function llamaEntry(
  name: string,
  model: ModelConfig,
  parts: HereParts,
  read: ModelReader,
): Promise<Made> {
  const file = modelOrThrow(await read(pathOf(parts.folder, model.path ?? '')));
  const spec = await specOf(name, model, file, parts);
  // What one build says of its needs another one may not mean.
  const known = model.llamaServer === undefined ? fitted(spec, file, { ...parts, model }) : { spec };
  return { ...known, file };
}

async function commandEntry(
  name: string,
  model: ModelConfig,
  parts: HereParts,
  read: ModelReader,
): Promise<Made> {
  const { config, state } = parts;
  const { file, ...made } = await commandModel(name, model, parts, read);
  const classKey = classKeyOf(name, { ...made.launch }, file, [model.placement, model.devices]);
  const learned = state.of(classKey);
  const spec: ModelSpec = {
    name,
    classKey,
    ...made,
    ...(file.bytes > 0 && { fileBytes: file.bytes }),
    loadEstimateMs: learned?.loadMs ?? LOAD_BASE_MS + (file.bytes || made.needBytes) / LOAD_BYTES_PER_MS,
    ...sharedFacts(name, model, config),
  };
  return { spec, file };
}

/** With what llama-fit-params has said of it, or with what it can be asked. */
function fitted(
  spec: ModelSpec,
  file: ModelFile,
  { fit, model, ...parts }: HereParts & { readonly model: ModelConfig },
): { readonly spec: ModelSpec; readonly question?: FitQuestion } {
  if (!fit || spec.needSource !== 'predicted' || spec.contexts !== undefined) return { spec };
  const unusedBytes = unusedByServer(planOf(model, file, parts), file);
  const question = fitQuestionOf(spec, { predicted: spec.needParts ?? [], unusedBytes }, file, fit.tool);
  const rows = question && fit.answers.of(question.key);
  if (question && rows) return { spec: { ...spec, ...fittedNeed(question, rows) } };
  return question ? { spec, question } : { spec };
}

async function specOf(
  name: string,
  model: ModelConfig,
  file: ModelFile,
  parts: HereParts,
): Promise<ModelSpec> {
  const { config, state } = parts;
  const said = saidMemory(model);
  const planned = planOf(model, file, parts);
  const { launch, placement, devices } = planned;
  // A usual prompt cache is no reason to load anything anew: it changes with the memory that Corral may use.
  const asked = { ...launch, promptCacheMiB: planned.configuredCacheMiB };
  const classKey = classKeyOf(name, asked, file, [placedBy(model, planned), devices ?? model.devices]);
  const learned = state.of(classKey);
  const { kept, ...lost } = { whyNot: undefined, ...conversationsOf(config, file, launch, classKey) };
  const need = needOf({
    planned,
    file,
    beside: await readBeside(planned),
    configuredBytes: said.bytes,
    measuredBytes: learned?.needBytes ?? null,
    measuredHostBytes: learned?.hostBytes ?? null,
  });
  return {
    name,
    classKey,
    launch: kept ? { ...launch, conversations: kept } : launch,
    ...need,
    devices,
    placement,
    fileBytes: file.bytes,
    loadEstimateMs: learned?.loadMs ?? LOAD_BASE_MS + file.bytes / LOAD_BYTES_PER_MS,
    ...sharedFacts(name, model, config),
    ...definedOnly({
      spread: planned.spread,
      conversationsLost: lost.whyNot,
    }),
    ...(said.hostBytes > 0 && { hostBytes: (need.hostBytes ?? 0) + said.hostBytes }),
    ...said.place,
  };
}

/** In bytes, as much as Corral may use of it. */
const mainMemoryOf = async ({ devices }: Config): Promise<number> =>
  Math.min((await readCpu()).totalBytes, devices['CPU']?.memory ?? Infinity);

/** The placement that a model asks for itself; undefined where it has the usual one. */
const placedBy = ({ placement }: ModelConfig, { options, ...planned }: Planned): string | undefined =>
  options.gpuLayers === 0 || options.devices?.length === 0 ? planned.placement : placement;

/** Equal for all that one process serves: a hash of everything that it is launched with, and of the file itself. */
function classKeyOf(
  name: string,
  launch: Readonly<Record<string, unknown>>,
  file: Pick<ModelFile, 'bytes' | 'modifiedAtMs'>,
  place: readonly [placement: string | undefined, devices: readonly string[] | undefined],
): string {
  const facts = JSON.stringify([launch, file.bytes, file.modifiedAtMs, ...place]);
  return `${name}#${createHash('sha256').update(facts).digest('hex').slice(0, 12)}`;
}

/** The folder that relative paths of a configuration start from. */
export const folderOf = (configPath: string | null): string =>
  configPath === null ? process.cwd() : dirname(configPath);
