import { signal } from '@preact/signals';

const PLACE = 'corral.key';

/** The key that this page shows to the server; null without one. Kept until the tab is closed. */
export const key = signal<string | null>(sessionStorage.getItem(PLACE));

/** Keeps a key for this tab, or forgets it. */
export function keepKey(value: string | null): void {
  key.value = value;
  if (value === null) sessionStorage.removeItem(PLACE);
  else sessionStorage.setItem(PLACE, value);
}

/** Headers that show the key, for requests beside the WebSocket. */
export const keyHeaders = (): Record<string, string> =>
  key.value === null ? {} : { authorization: `Bearer ${key.value}` };
