import { anyKey, type Needs } from '../auth/scopes.ts';

const BODIES = '/api/v1/activity/';

/** What the management API asks of a key: to ask is to read, to tell is to manage. */
export const managementNeeds = (method: string, path = ''): Needs => {
  // What somebody has said to a model is for those who may have that kept.
  if (path.startsWith(BODIES)) return ['manage'];
  if (method === 'GET' || method === 'HEAD') return ['read'];
  return method === 'OPTIONS' ? anyKey : ['manage'];
};
