import { writeFileSync } from 'node:fs';
import { configJsonSchema } from '../src/config/schema.ts';

const path = new URL('../corral.schema.json', import.meta.url);
writeFileSync(path, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
console.log(`wrote ${path.pathname}`);
