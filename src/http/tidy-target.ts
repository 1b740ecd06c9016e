/**
 * A request target as the routes know it: in origin form, where some proxies send the absolute form, and with single slashes,
 * where a base URL that ends with one was put before a path that begins with one. The query stays as it is.
 */
export const tidyTarget = (target: string): string => {
  const fromPath = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = fromPath.indexOf('?');
  if (mark === -1) return fromPath.replaceAll(/\/{2,}/g, '/');
  return fromPath.slice(0, mark).replaceAll(/\/{2,}/g, '/') + fromPath.slice(mark);
};
