const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/**
 * Ms from what people write: `5m`, `1h30m`, `250ms`, or a number of seconds. `forever` and negative numbers, as Ollama's
 * clients send them, are `Infinity`. Null when it is none of these.
 */
export function parseDuration(value: string | number): number | null {
  if (typeof value === 'number') return Number.isNaN(value) ? null : fromSeconds(value);
  const text = value.trim().toLowerCase().replaceAll(' ', '');
  if (text === 'forever' || text === 'never') return Infinity;
  if (/^-?\d+(\.\d+)?$/.test(text)) return fromSeconds(Number(text));
  if (text.startsWith('-') && WHOLE.test(text.slice(1))) return Infinity;
  if (!WHOLE.test(text)) return null;
  let ms = 0;
  for (const [, amount, unit = 's'] of text.matchAll(PART)) ms += Number(amount) * (UNITS_MS[unit] ?? 0);
  return ms;
}

const fromSeconds = (seconds: number): number => (seconds < 0 ? Infinity : seconds * 1000);
