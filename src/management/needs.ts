import { anyKey, type Needs } from '../auth/scopes.ts';

/** What the management API asks of a key: to ask is to read, to tell is to manage. */
export const managementNeeds = (method: string): Needs => {
  if (method === 'GET' || method === 'HEAD') return ['read'];
  return method === 'OPTIONS' ? anyKey : ['manage'];
};
