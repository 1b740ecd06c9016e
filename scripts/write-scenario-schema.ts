import { writeFileSync } from 'node:fs';
import { scenarioJsonSchema } from '../src/simulation/scenario/schema.ts';

const path = new URL('../corral-scenario.schema.json', import.meta.url);
writeFileSync(path, `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
console.log(`wrote ${path.pathname}`);
