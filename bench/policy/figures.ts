/** A percentile of nothing to wait for is no ratio; it counts as a hundredth. */
const LEAST_RATIO = 0.01;

/** How many times as much; of nothing beside nothing: 1. */
export const ratioOf = (ours: number, theirs: number): number =>
  ours === theirs ? 1 : theirs === 0 ? 1 / LEAST_RATIO : ours / theirs;

export const geometricMean = (numbers: readonly number[]): number =>
  Math.exp(
    numbers.reduce((sum, number) => sum + Math.log(Math.max(number, LEAST_RATIO)), 0) /
      Math.max(1, numbers.length),
  );

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [low = 1, high = 1] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
}

/** Two digits; nothing for nothing. */
export const two = (number: number | null | undefined): string => (number == null ? '' : number.toFixed(2));

export const seconds = (number: number): string => number.toFixed(number < 100 ? 1 : 0);
