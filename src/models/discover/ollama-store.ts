import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileTextAsync } from '../../files/read-file.ts';
import { isMissing } from '../../system-reason.ts';
import type { DiscoveredModel, Discovery } from './discovered-model.ts';
import { listFiles, textOf } from './list-files.ts';
import { ollamaName, parseOllamaManifest } from './ollama-manifest.ts';
import { parseOllamaParams, type OllamaParams } from './ollama-params.ts';

/** Host, namespace, name, tag. */
const MANIFEST_DEPTH = 4;
const NO_PARAMS: OllamaParams = { contextTokens: null, args: [], leftOut: [] };

/**
 * The models of Ollama's store, which is only read. Tags of the same content are one model: the first name that is not `latest`,
 * the others are its aliases. Throws the system's error when there is no store in the folder.
 */
export async function readOllamaStore(folder: string): Promise<Discovery> {
  const warnings: string[] = [];
  const manifests = join(folder, 'manifests');
  const places = await listFiles(manifests, MANIFEST_DEPTH, warnings);
  const models: DiscoveredModel[] = [];
  for (const place of places) {
    const name = ollamaName(place);
    if (name === null) continue;
    try {
      models.push(await readModel(name, join(manifests, place), join(folder, 'blobs')));
    } catch (error) {
      warnings.push(`Ollama's ${name} is left out: ${textOf(error)}`);
    }
  }
  return { models: mergeTags(models), warnings };
}

async function readModel(name: string, manifest: string, blobs: string): Promise<DiscoveredModel> {
  const layers = parseOllamaManifest(await readFileTextAsync(manifest));
  const { model, projector, adapters, params } = layers;
  for (const blob of [model, ...(projector === null ? [] : [projector]), ...adapters])
    await checkBlob(blobs, blob);
  const { contextTokens, args, leftOut } = await readParams(params && join(blobs, params));
  return {
    name,
    aliases: [],
    path: join(blobs, model),
    projectorPath: projector && join(blobs, projector),
    adapterPaths: adapters.map((blob) => join(blobs, blob)),
    contextTokens,
    args,
    leftOut: [...layers.leftOut, ...leftOut],
  };
}

const readParams = async (path: string | null): Promise<OllamaParams> =>
  path === null ? NO_PARAMS : parseOllamaParams(await readFileTextAsync(path));

/** A pull that was broken off leaves a manifest of an earlier version, or parts of blobs under other names. */
async function checkBlob(blobs: string, blob: string): Promise<void> {
  try {
    await stat(join(blobs, blob));
  } catch (error) {
    throw isMissing(error) ? new Error(`its blob ${blob.slice(0, 19)}… is missing`) : error;
  }
}

function mergeTags(models: readonly DiscoveredModel[]): DiscoveredModel[] {
  const groups = new Map<string, DiscoveredModel[]>();
  for (const model of models) {
    const { name: _name, ...content } = model;
    const key = JSON.stringify(content);
    groups.set(key, [...(groups.get(key) ?? []), model]);
  }
  return [...groups.values()].flatMap((group) => {
    const main = group.find(({ name }) => !name.endsWith(':latest')) ?? group[0];
    const others = group.filter((other) => other !== main).map(({ name }) => name);
    return main ? [{ ...main, aliases: others }] : [];
  });
}
