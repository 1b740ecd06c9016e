/** Random numbers from a seed (mulberry32): the same ones each time, on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0…1, 1 left out. */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }
  /** Between two numbers, every octave as likely as any other. */
  octaves(low: number, high: number): number {
    return Math.exp(this.between(Math.log(low), Math.log(high)));
  }
  /** `low`…`high`, both among them. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }
  pick<T>(list: readonly [T, ...T[]]): T {
    return list[Math.floor(this.next() * list.length)] ?? list[0];
  }
  shuffled<T>(list: readonly T[]): readonly T[] {
    return list
      .map((one) => ({ one, at: this.next() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ one }) => one);
  }
}
