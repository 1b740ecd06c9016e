import { signal } from '@preact/signals';
import './announcer.css';

interface Notice {
  readonly text: string;
  readonly isProblem: boolean;
}

const SHOWN_MS = 5_000;
const notice = signal<Notice | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says what was done, to those who see the page and to those who do not. */
export function announce(text: string): void {
  show({ text, isProblem: false });
  timer = setTimeout(dismiss, SHOWN_MS);
}

/** Says what went wrong; it stays until it is dismissed. */
export const complain = (text: string): void => show({ text, isProblem: true });

function show(next: Notice): void {
  clearTimeout(timer);
  notice.value = next;
}

function dismiss(): void {
  notice.value = null;
}

/** Where it is said. It lies over the page, so that nothing moves. */
export function Announcer() {
  const shown = notice.value;
  return (
    <div class="notice-place" role="status" aria-live="polite">
      {shown && (
        <p class="notice" data-problem={shown.isProblem}>
          {shown.text}
          {shown.isProblem && (
            <button type="button" onClick={dismiss}>
              Dismiss
            </button>
          )}
        </p>
      )}
    </div>
  );
}
