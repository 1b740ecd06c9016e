import { serverArguments } from '../../../actors/process/server-arguments.ts';
import type { ModelSpec, NeedPart, Reservation } from '../../../machines/vocabulary.ts';
import { parseConfig } from '../../../src/config/load-config.ts';
import { resolveModels } from '../../../src/config/resolve-models.ts';

/** A configuration of one model. */
export interface OneModel {
  readonly path: string;
  /** The folder that relative paths start from. */
  readonly folder: string;
  /** Keys of the model, as YAML. */
  readonly keys?: string;
  /** What the configuration says beside the model, as YAML. */
  readonly rest?: string;
}

/** The model as Corral plans it, with a llama-server that is not asked anything. */
export async function resolvedSpec({ path, folder, keys = '', rest = '' }: OneModel): Promise<ModelSpec> {
  const { entries } = await resolveModels({
    config: parseConfig(`{ models: { m: { path: ${path}, ${keys} } }, ${rest} }`),
    folder,
    llamaServer: '/bin/llama-server',
    state: { of: () => undefined },
  });
  const spec = entries[0]?.spec;
  if (!spec) throw new Error('no model');
  return spec;
}

/** The command line that it is started with. */
export const commandOf = (
  { name, launch }: Pick<ModelSpec, 'name' | 'launch'>,
  reservation: Reservation = { CUDA0: 8 },
): string[] => serverArguments({ runnerId: 'r', modelName: name, launch, reservation }, 4000);

/** What it was predicted to need for something, in bytes. */
export const partOf = ({ needParts = [] }: ModelSpec, of: NeedPart['of']): number =>
  needParts.filter((part) => part.of === of).reduce((bytes, part) => bytes + part.bytes, 0);
