import { config } from 'zod';

// Schemas are otherwise compiled by `new Function`, which the page's policy forbids. Imported before anything that makes a schema.
config({ jitless: true });
