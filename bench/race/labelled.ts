/** A label and a path, as `before=/path/to/main.js`. Throws an Error when it is not of that form. */
export function parseLabelled(text: string): { readonly label: string; readonly path: string } {
  const [, label, path] = /^([^=/]+)=(.+)$/.exec(text) ?? [];
  if (label === undefined || path === undefined)
    throw new Error(`${text} is no label and path, such as before=/path/to/dist/src/cli/main.js`);
  return { label, path };
}
