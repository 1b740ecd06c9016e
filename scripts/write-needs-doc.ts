import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cacheFolder, findBuiltLlamaServer } from './llama-server-cache.ts';
import { compareNeed } from './needs/measure-need.ts';
import { withNeedsTable, type NeedRow } from './needs/needs-table.ts';
import { optionSets } from './needs/option-sets.ts';

const path = fileURLToPath(new URL('../docs/models.md', import.meta.url));
const llamaServer = findBuiltLlamaServer();
if (llamaServer === null) throw new Error('npm run llama-server builds what is measured');
const rows: NeedRow[] = [];
for (const set of optionSets) {
  console.log(`${set.model}: ${set.says}`);
  rows.push({ set, need: await compareNeed(set, llamaServer) });
}
const release = /([^/]+)-[^-/]+$/.exec(cacheFolder())?.[1] ?? '';
const machine = `In MiB, on ${platform()} ${arch()} (${cpus()[0]?.model ?? 'unknown'}), llama-server ${release}, on the CPU with one thread.`;
writeFileSync(path, withNeedsTable(readFileSync(path, 'utf8'), rows, machine));
console.log(`wrote ${path}`);
