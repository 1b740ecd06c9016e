import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

const WINDOW_S = 60;

/** Counts what each key asks, minute by minute. */
export class KeyRates {
  readonly #limiters = new Map<number, RateLimiterMemory>();

  /** Takes one request of a key's minute. Answers with the seconds to wait when there is none left; else with 0. */
  async take(keyName: string, requestsPerMinute: number): Promise<number> {
    if (requestsPerMinute === Infinity) return 0;
    let limiter = this.#limiters.get(requestsPerMinute);
    if (!limiter) {
      limiter = new RateLimiterMemory({ points: requestsPerMinute, duration: WINDOW_S });
      this.#limiters.set(requestsPerMinute, limiter);
    }
    try {
      await limiter.consume(keyName);
      return 0;
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      // It counts to a time of day: never more than a whole window, also when the clock was set back.
      return Math.min(refusal.msBeforeNext / 1_000, WINDOW_S);
    }
  }
}
