import { describeModels, type DescribedName } from '../http/described-models.ts';
import { findListed, listedNames } from '../http/model-list.ts';
import { statusValueOf } from '../http/model-status.ts';
import type { ListParts } from '../http/send-models.ts';

/** `/api/v0/models`: each model under each name that it was given. */
export async function lmStudioModels(parts: ListParts): Promise<object> {
  const given = listedNames(parts.models()).filter(
    ({ name, model }) => name === model.name || model.aliases.includes(name),
  );
  return { object: 'list', data: (await describeModels(given, parts)).map(entryOf) };
}

/** `/api/v0/models/{name}`. Throws a `ServiceError` for a name that there is not. */
export async function lmStudioModel(parts: ListParts, name: string): Promise<object> {
  const listed = findListed(parts.models(), name);
  if (!listed) parts.desk.find(name);
  const [described] = await describeModels(listed ? [listed] : [], parts);
  return described ? entryOf(described) : {};
}

const entryOf = ({ name, model, about: { details, abilities } }: DescribedName): object => {
  const isLoaded = statusValueOf(model.state) === 'loaded';
  const slash = model.name.indexOf('/');
  return {
    id: name,
    object: 'model',
    type: typeOf(abilities),
    publisher: slash === -1 ? '' : model.name.slice(0, slash),
    arch: details?.architecture ?? '',
    compatibility_type: 'gguf',
    quantization: details?.quantization ?? '',
    state: isLoaded ? 'loaded' : model.state === 'failed' ? 'failed' : 'not-loaded',
    ...(model.failure !== undefined && { failure: model.failure }),
    max_context_length: model.contextTokens,
    ...(isLoaded && { loaded_context_length: model.contextTokens }),
    capabilities: abilities.includes('tools') ? ['tool_use'] : [],
  };
};

const typeOf = (abilities: DescribedName['about']['abilities']): 'llm' | 'vlm' | 'embeddings' => {
  if (abilities.includes('embedding') || abilities.includes('rerank')) return 'embeddings';
  return abilities.includes('vision') ? 'vlm' : 'llm';
};
