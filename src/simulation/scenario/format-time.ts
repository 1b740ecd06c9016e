/** A moment of virtual time for people: `6.05s`, `2m 5s`, `3h 0m`. */
export function formatTime(ms: number): string {
  if (ms === Infinity) return 'never';
  if (ms < 120_000) return `${trimmed(ms / 1000)}s`;
  if (ms < 7_200_000) return `${Math.floor(ms / 60_000)}m ${trimmed((ms % 60_000) / 1000)}s`;
  return `${Math.floor(ms / 3_600_000)}h ${Math.floor((ms % 3_600_000) / 60_000)}m`;
}

const trimmed = (seconds: number): string => String(Math.round(seconds * 1000) / 1000);
