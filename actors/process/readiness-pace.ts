/** Asking costs a connection each time. */
const SHORTEST_MS = 10;
const LONGEST_MS = 250;
/** Of the time that a load has taken so far: so much longer it seems, where its process does not say itself that it is ready. */
const SHARE = 0.05;

/** How long to wait before a process that loads is asked again, in ms: a pace that fits the length of its load. */
export const pauseBeforeAsking = (loadingForMs: number): number =>
  Math.min(LONGEST_MS, Math.max(SHORTEST_MS, SHARE * loadingForMs));
