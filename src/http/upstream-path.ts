import { normalName } from '../config/model-names.ts';

/** Of paths that name their model. */
export const UPSTREAM_PREFIX = '/upstream/';

/**
 * Splits `/upstream/{model}/…` into the model's name and the path at its runner. Names may hold slashes: of `names`, which are all that
 * requests may use, the longest one that the path begins with is meant, and otherwise its first segment.
 */
export const splitUpstreamPath = (
  path: string,
  names: readonly string[],
): { readonly model: string; readonly path: string } => {
  const segments = path.slice(UPSTREAM_PREFIX.length).split('/');
  const known = new Set(names.filter((name) => name.includes('/')).map(normalName));
  const longest = Math.max(1, ...[...known].map((name) => name.split('/').length));
  for (let count = Math.min(longest, segments.length); count > 1; count -= 1) {
    const name = decodeName(segments.slice(0, count).join('/'));
    if (known.has(normalName(name))) return { model: name, path: `/${segments.slice(count).join('/')}` };
  }
  return { model: decodeName(segments[0] ?? ''), path: `/${segments.slice(1).join('/')}` };
};

/** A name as it stands in a path. */
export const decodeName = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign: taken as it stands, and then simply not found
  }
};
