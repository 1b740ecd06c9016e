import type { Config } from './schema.ts';

/** `policy.gamma` was 12 by default when it was counted otherwise; from here on it is taken for such a value. */
const OLD_GAMMA = 3;

/** Settings that can be used, and are probably not meant as they are. */
export const strangeSettings = ({ policy: { gamma } }: Pick<Config, 'policy'>): string[] =>
  gamma < OLD_GAMMA
    ? []
    : [
        `policy.gamma is ${gamma}: a request for a model that is not loaded waits until so much waiting has come together for each second that the eviction costs. 0.4 is the default, 0.25 favours latency, 1 throughput; larger values were for an earlier version.`,
      ];
