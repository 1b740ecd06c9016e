import { computed, signal, type ReadonlySignal } from '@preact/signals';

/** Where the page is: `#/terminal?runner=runner-3`. */
export interface Route {
  readonly path: string;
  readonly query: URLSearchParams;
}

const hash = signal(location.hash);
addEventListener('hashchange', () => (hash.value = location.hash));

/** The present place, from the address. */
export const route: ReadonlySignal<Route> = computed(() => {
  const [path = '', query = ''] = hash.value.replace(/^#/, '').split('?', 2);
  return { path: path === '' ? '/' : path, query: new URLSearchParams(query) };
});

/** The address of a place. */
export function linkTo(path: string, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString();
  return text === '' ? `#${path}` : `#${path}?${text}`;
}

/** Changes the query of the present place, without a step in the browser's history. */
export function setQuery(query: Readonly<Record<string, string>>): void {
  history.replaceState(null, '', linkTo(route.value.path, query));
  hash.value = location.hash;
}
