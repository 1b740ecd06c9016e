import { isMissing } from '../../system-reason.ts';
import type { DiscoveredModel, Discovery } from './discovered-model.ts';
import { readHuggingFaceCache } from './hugging-face-cache.ts';
import { unread } from './list-files.ts';
import { readLlamaCppCache } from './llama-cpp-cache.ts';
import { readOllamaStore } from './ollama-store.ts';
import { STORES, storeTitles, type Store } from './store-places.ts';

const readers: Readonly<Record<Store, (folder: string) => Promise<Discovery>>> = {
  llamaCpp: readLlamaCppCache,
  ollama: readOllamaStore,
  huggingFace: readHuggingFaceCache,
};

/**
 * Models that other programs keep on this machine; their files are only read. A name is taken once, without regard to case:
 * by the program that comes first. What cannot be read is a warning and hides nothing else.
 */
export async function discoverModels(
  folders: Readonly<Record<Store, readonly string[]>>,
): Promise<Discovery> {
  const found: DiscoveredModel[] = [];
  const warnings: string[] = [];
  for (const store of STORES) {
    const places = folders[store];
    let isAnyThere = false;
    for (const place of places)
      try {
        const { models, warnings: told } = await readers[store](place);
        isAnyThere = true;
        found.push(...models);
        warnings.push(...told);
      } catch (error) {
        if (isMissing(error)) continue;
        isAnyThere = true;
        warnings.push(unread(`${storeTitles[store]} at ${place}`, error));
      }
    if (places.length > 0 && !isAnyThere)
      warnings.push(`${storeTitles[store]} is not at ${places.join(' or ')}`);
  }
  return { models: withFreeNames(found), warnings };
}

function withFreeNames(models: readonly DiscoveredModel[]): DiscoveredModel[] {
  const taken = new Set<string>();
  const take = (name: string): boolean => !taken.has(name.toLowerCase()) && !!taken.add(name.toLowerCase());
  return models
    .filter(({ name }) => take(name))
    .map((model) => ({ ...model, aliases: model.aliases.filter(take) }));
}
