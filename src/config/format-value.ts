import type { Kind } from './settings.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const UNITS_MS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** A value as it would be written in `corral.yaml`: a size, given in bytes, as `450MiB`, a duration, given in ms, as `1h30m`. */
export function formatValue(value: unknown, kind: Kind = 'mixed'): string {
  if (typeof value === 'number' && kind === 'size') return formatSize(value);
  if (typeof value === 'number' && kind === 'duration') return formatDuration(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Exact: what is no whole number of MiB is told in bytes. */
export function formatSize(bytes: number): string {
  if (bytes >= GIB && bytes % GIB === 0) return `${bytes / GIB}GiB`;
  return bytes >= MIB && bytes % MIB === 0 ? `${bytes / MIB}MiB` : String(bytes);
}

export function formatDuration(ms: number): string {
  if (ms === Infinity) return 'forever';
  if (ms === 0) return '0';
  let rest = ms;
  let text = '';
  for (const [unit, unitMs] of UNITS_MS) {
    const count = unit === 'ms' ? rest : Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text;
}
