/** What a running Corral takes over from a new configuration: these keys with all below them, less the exceptions. */
const APPLIED = new Set([
  'models',
  'anyOf',
  'defaultModel',
  'folders',
  'discover',
  'defaults',
  'devices',
  'limits',
  'policy',
  'shutdownGrace',
  'logLevel',
  'keys',
  'listen.allowedHosts',
  'listen.allowedOrigins',
  // Read by the commands, each time anew.
  'client',
]);
const EXCEPTIONS = new Set(['limits.heldBodies', 'limits.headers', 'limits.connections']);
/** Of a device, whatever it is called. */
const OF_DEVICES = 'sharesMainMemory';

/** Whether a setting counts only from the next start on. */
export const needsRestart = (path: readonly string[]): boolean => {
  const key = path.join('.');
  if (path[0] === 'devices' && path.at(-1) === OF_DEVICES) return true;
  return EXCEPTIONS.has(key) || !(APPLIED.has(path[0] ?? '') || APPLIED.has(key));
};
