import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 make all objects where young garbage is collected, which is cheap. Left alone it soon makes some arrays of XState's transitions
 * among the old objects; each of those keeps all that it points to until the next full collection, and a request's garbage costs
 * several times as much (docs/performance.md).
 */
export const keepGarbageYoung = (): void => setFlagsFromString('--no-allocation-site-pretenuring');
