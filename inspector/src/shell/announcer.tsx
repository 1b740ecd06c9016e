import { signal } from '@preact/signals';

const said = signal('');

/** Says something to who cannot see the page: what was done, or what went wrong. */
export function announce(text: string): void {
  // The same text twice is two announcements.
  said.value = said.value === text ? `${text}\u00a0` : text;
}

/** Where it is said. */
export const Announcer = () => (
  <div class="unseen" role="status" aria-live="polite">
    {said}
  </div>
);
