import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../src/serve.ts';
import { asyncApiOf } from '../src/ws/asyncapi.ts';

const path = fileURLToPath(new URL('../docs/asyncapi.json', import.meta.url));
writeFileSync(path, `${JSON.stringify(asyncApiOf(VERSION), null, 2)}\n`);
console.log(`wrote ${path}`);
