/** What XState asks of a clock. */
export interface Clock {
  setTimeout(fire: () => void, delayMs: number): unknown;
  clearTimeout(timer: never): void;
}

/** Longest delay of a Node timer; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

interface Timer {
  handle: NodeJS.Timeout | null;
}

/** Real time, with two mends: `Infinity` arms no timer, and delays above 24.8 days are chained. */
export const realClock = {
  setTimeout(fire: () => void, delayMs: number): Timer {
    const timer: Timer = { handle: null };
    const arm = (leftMs: number): void => {
      if (leftMs === Infinity) return;
      const stepMs = Math.min(leftMs, LONGEST_MS);
      timer.handle = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : fire()), stepMs);
    };
    arm(delayMs);
    return timer;
  },
  clearTimeout(timer: Timer | undefined): void {
    if (timer?.handle) clearTimeout(timer.handle);
  },
};
