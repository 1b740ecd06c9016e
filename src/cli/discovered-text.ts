import { homedir } from 'node:os';
import { discoverModels } from '../models/discover/discover-models.ts';
import type { Discovery } from '../models/discover/discovered-model.ts';
import { STORES, storePlaces } from '../models/discover/store-places.ts';
import { table } from './table.ts';

/** What all stores of other programs would add, each in its usual places. */
export const discoverAll = (env: NodeJS.ProcessEnv): Promise<Discovery> =>
  discoverModels(storePlaces({ env, home: homedir(), platform: process.platform }));

/** The same for people. */
export function discoveredText({ models, warnings }: Discovery): string {
  const lines = warnings.map((warning) => `note: ${warning}`);
  if (models.length === 0) return `${[...lines, 'No model of another program was found.'].join('\n')}\n`;
  const rows = models.map((model) => [
    [model.name, ...model.aliases].join(', '),
    model.projectorPath === null ? '' : 'yes',
    model.leftOut.join(', '),
    model.path,
  ]);
  const switches = `discover: { ${STORES.map((store) => `${store}: true`).join(', ')} }`;
  const advice = `To serve them, add this, or a part of it, to corral.yaml:\n  ${switches}`;
  return `${[...lines, table(['MODEL', 'SEES', 'LEFT OUT', 'FILE'], rows), '', advice].join('\n')}\n`;
}
