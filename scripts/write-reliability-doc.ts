import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisesOfTests, withFaultTable } from './fault-table.ts';

/** With `--check`, only says whether the page is up to date. */
const isCheck = process.argv.includes('--check');
const path = fileURLToPath(new URL('../docs/reliability.md', import.meta.url));
const page = readFileSync(path, 'utf8');
const written = withFaultTable(page, await promisesOfTests());
if (!isCheck) {
  writeFileSync(path, written);
  console.log(`wrote ${path}`);
} else if (written !== page) {
  console.error('docs/reliability.md is out of date: run npm run docs:faults');
  process.exitCode = 1;
}
