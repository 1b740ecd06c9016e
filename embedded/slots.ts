import type { LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp';

/** One of the process's parallel sequences. Its context is kept from one request to the next. */
export interface Slot {
  readonly id: number;
  readonly sequence: LlamaContextSequence;
  isProcessing: boolean;
  promptTokens: number;
  cachedTokens: number;
  decodedTokens: number;
}

interface Waiter {
  readonly resolve: (slot: Slot) => void;
  readonly reject: (reason: unknown) => void;
}

/** Hands out slots; who finds none waits in order of arrival. */
export class Slots {
  readonly all: readonly Slot[];
  readonly #waiters: Waiter[] = [];

  constructor(context: LlamaContext, count: number) {
    this.all = Array.from({ length: count }, (_, id) => ({
      id,
      sequence: context.getSequence(),
      isProcessing: false,
      promptTokens: 0,
      cachedTokens: 0,
      decodedTokens: 0,
    }));
  }

  /** Waits for a slot: of the free ones, that with the longest beginning in common with the prompt. */
  async take(prompt: readonly Token[], signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const free = this.all.filter((slot) => !slot.isProcessing);
    const slot =
      free.toSorted((a, b) => inCommon(b, prompt) - inCommon(a, prompt))[0] ?? (await this.#wait(signal));
    Object.assign(slot, { isProcessing: true, promptTokens: prompt.length, decodedTokens: 0 });
    return slot;
  }

  giveBack(slot: Slot): void {
    const next = this.#waiters.shift();
    if (next) next.resolve(slot);
    else slot.isProcessing = false;
  }

  #wait(signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiters.push(waiter);
      signal.addEventListener('abort', () => {
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        reject(signal.reason);
      });
    });
  }
}

function inCommon({ sequence }: Slot, prompt: readonly Token[]): number {
  const held = sequence.contextTokens;
  let count = 0;
  while (count < held.length && held[count] === prompt[count]) count++;
  return count;
}
