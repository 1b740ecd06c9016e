/** Of paths that name their model. */
export const UPSTREAM_PREFIX = '/upstream/';

/**
 * Splits `/upstream/{model}/…` into the model's name and the path at its runner. Names may hold slashes: of the
 * configured names the longest one that the path begins with is meant, and otherwise its first segment.
 */
export const splitUpstreamPath = (
  path: string,
  names: readonly string[],
): { readonly model: string; readonly path: string } => {
  const segments = path.slice(UPSTREAM_PREFIX.length).split('/');
  const longest = Math.max(1, ...names.map((name) => name.split('/').length));
  for (let count = Math.min(longest, segments.length); count > 1; count -= 1) {
    const name = decodeName(segments.slice(0, count).join('/'));
    if (names.includes(name)) return { model: name, path: `/${segments.slice(count).join('/')}` };
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
