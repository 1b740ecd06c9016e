const EWMA_WEIGHT = 0.3;

/** The mean time of a model's loads in seconds, after one more. */
export const meanLoadSeconds = (before: number | undefined, loadMs: number): number =>
  before === undefined ? loadMs / 1000 : before + EWMA_WEIGHT * (loadMs / 1000 - before);
