import type { StateValue } from 'xstate';

/** Path of the innermost state; of regions side by side all, with a space between. */
export function statePath(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .flatMap(([key, inner]) =>
      statePath(inner ?? '')
        .split(' ')
        .map((path) => (path === '' ? key : `${key}.${path}`)),
    )
    .join(' ');
}
