/** Writes the demonstration models into a folder: `node --import tsx scripts/make-models.ts FOLDER`. */
import { stat } from 'node:fs/promises';
import { writeDemoModels } from '../src/models/demo-models.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Usage: node --import tsx scripts/make-models.ts FOLDER');
  process.exit(2);
}

const written = new Set<string>();
const models = await writeDemoModels(folder, (name) => written.add(name));
for (const { name, path, about } of models) {
  const megabytes = ((await stat(path)).size / 1e6).toFixed(1);
  console.log(`${written.has(name) ? 'written' : 'already there'}  ${path}  ${megabytes} MB  ${about}`);
}
