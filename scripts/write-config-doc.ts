import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withSettingsTable } from './settings-table.ts';

const path = fileURLToPath(new URL('../docs/configuration.md', import.meta.url));
writeFileSync(path, withSettingsTable(readFileSync(path, 'utf8')));
console.log(`wrote ${path}`);
