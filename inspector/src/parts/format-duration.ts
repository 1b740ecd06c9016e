/** A time that passes, in ms, as `0:07`, `12:30` or `3 h 05`; its width does not change from second to second. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${pad(seconds % 60)}`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)}`;
}

/** A time that was measured, in ms: `85 ms`, `2.0 s`, `3 min 20 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The time of day of an ISO moment, in this machine's zone: `20:42:55`. */
export const formatTime = (iso: string): string => new Date(iso).toLocaleTimeString('en-GB');

const pad = (value: number): string => String(value).padStart(2, '0');
