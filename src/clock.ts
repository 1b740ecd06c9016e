/** What XState asks of a clock. */
export interface Clock {
  setTimeout(fire: () => void, delayMs: number): unknown;
  clearTimeout(timer: never): void;
}

/** The timers of a platform, and the time that they are to go by. */
export interface Timers<Handle> {
  now(): number;
  setTimeout(fire: () => void, delayMs: number): Handle;
  clearTimeout(handle: Handle): void;
}

/** Longest delay of a Node timer; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Nothing but a program that was stopped, or a machine that slept, makes a timer so late. */
const STOPPED_MS = 1_000;
/** So long then, before it fires, what has come in meanwhile is heard: a sign of life of what the timer would give up. */
const HEAR_FIRST_MS = 100;

interface Timer<Handle> {
  handle: Handle | null;
}

/**
 * A clock whose timers go by the moment at which they are due, not by the delay. A platform's own drop fractions of a ms, fire a
 * little early now and then, and know no delays above 24.8 days: each is looked at when it fires, and set again for what is left.
 * So none fires before its moment, however long it was; `Infinity` arms none. After the program was stopped, news come first.
 */
export function clockOver<Handle>(timers: Timers<Handle>) {
  return {
    now: (): number => timers.now(),
    setTimeout(fire: () => void, delayMs: number): Timer<Handle> {
      const timer: Timer<Handle> = { handle: null };
      if (delayMs === Infinity || Number.isNaN(delayMs)) return timer;
      const dueMs = timers.now() + delayMs;
      const arm = (leftMs: number): void => {
        timer.handle = timers.setTimeout(look, Math.min(Math.max(0, Math.ceil(leftMs)), LONGEST_MS));
      };
      let hasHeard = false;
      const look = (): void => {
        const leftMs = dueMs - timers.now();
        if (leftMs > 0) return arm(leftMs);
        if (hasHeard || leftMs > -STOPPED_MS) return fire();
        hasHeard = true;
        arm(HEAR_FIRST_MS);
      };
      arm(delayMs);
      return timer;
    },
    clearTimeout(timer: Timer<Handle> | undefined | null): void {
      if (timer?.handle != null) timers.clearTimeout(timer.handle);
    },
  };
}

/** Real time, in ms since the program's start. It stands still or goes on while the machine sleeps, as the system has it, and knows no time of day. */
export const realClock = clockOver<NodeJS.Timeout>({
  now: () => performance.now(),
  setTimeout: (fire, delayMs) => setTimeout(fire, delayMs),
  clearTimeout: (handle) => clearTimeout(handle),
});
