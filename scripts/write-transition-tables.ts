import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allCharts } from '../src/charts/all-charts.ts';
import { documentMachines } from '../src/charts/transition-table.ts';

const path = fileURLToPath(new URL('../docs/statecharts.md', import.meta.url));
writeFileSync(path, documentMachines(allCharts()));
console.log(`wrote ${path}`);
