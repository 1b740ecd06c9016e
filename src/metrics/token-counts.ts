import { Counter, type Registry } from 'prom-client';
import { askRunner } from '../../actors/process/ask-runner.ts';
import type { Endpoint, RunnerId } from '../../machines/vocabulary.ts';
import { ledgerOf, type Scheduler } from '../ledger-of.ts';

/** After a request's end, so many ms until its runner is asked: one question for all that end meanwhile. */
const READ_AFTER_MS = 1_000;
/** A runner in the middle of a large batch answers late; it is asked again the next time. */
const ANSWER_WITHIN_MS = 1_000;

/** What llama-server's own metrics call them; it counts what it really evaluates, cached tokens are not in it. */
const PROMPT = /^llamacpp:prompt_tokens_total (\d+)/m;
const GENERATED = /^llamacpp:tokens_predicted_total (\d+)/m;

interface Counts {
  readonly prompt: number;
  readonly generated: number;
}

/**
 * Tokens by model, as the runners count them: replies pass through unread, so that counting costs the data path nothing.
 * A runner is asked shortly after a request of it has ended, and when somebody reads the metrics. What it does in its last
 * second may be missed, if it is evicted or lost just then.
 */
export class TokenCounts {
  readonly #scheduler: Scheduler;
  readonly #prompt: Counter<'model'>;
  readonly #generated: Counter<'model'>;
  /** What each runner said last. */
  readonly #seen = new Map<RunnerId, Counts>();
  readonly #timers = new Map<RunnerId, NodeJS.Timeout>();

  constructor(registry: Registry, scheduler: Scheduler) {
    this.#scheduler = scheduler;
    const counter = (name: string, help: string) =>
      new Counter({ name, help, labelNames: ['model'], registers: [registry] });
    this.#prompt = counter(
      'corral_prompt_tokens_total',
      'Prompt tokens that runners evaluated; those that were cached are not among them.',
    );
    this.#generated = counter('corral_generated_tokens_total', 'Tokens that runners generated.');
  }

  /** A request of this runner has ended: there is something new to count. */
  touch(runnerId: RunnerId): void {
    if (this.#timers.has(runnerId)) return;
    const read = (): void => {
      this.#timers.delete(runnerId);
      void this.#read(runnerId);
    };
    this.#timers.set(runnerId, setTimeout(read, READ_AFTER_MS).unref());
  }

  /** Asks all runners that can be asked. */
  async readAll(): Promise<void> {
    const { runners } = this.#ledger;
    for (const runnerId of this.#seen.keys()) if (!runners.has(runnerId)) this.#seen.delete(runnerId);
    await Promise.all([...runners.keys()].map((runnerId) => this.#read(runnerId)));
  }

  get #ledger() {
    return ledgerOf(this.#scheduler);
  }

  async #read(runnerId: RunnerId): Promise<void> {
    const runner = this.#ledger.runners.get(runnerId);
    if (!runner?.endpoint || runner.readyAtMs === null) return;
    const counts = await countsAt(runner.endpoint);
    if (counts === null) return;
    const seen = this.#seen.get(runnerId) ?? { prompt: 0, generated: 0 };
    // Two answers may overtake each other.
    const prompt = Math.max(seen.prompt, counts.prompt);
    const generated = Math.max(seen.generated, counts.generated);
    this.#seen.set(runnerId, { prompt, generated });
    const model = runner.spec.name;
    this.#prompt.inc({ model }, prompt - seen.prompt);
    this.#generated.inc({ model }, generated - seen.generated);
  }
}

/** Null where a runner does not say: no answer in time, or no such counts. */
async function countsAt(endpoint: Endpoint): Promise<Counts | null> {
  const question = { path: '/metrics', withKey: true, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
  try {
    return await askRunner(endpoint, question, async ({ body, statusCode }) => {
      const text = await body.text();
      const [prompt, generated] = [PROMPT.exec(text)?.[1], GENERATED.exec(text)?.[1]];
      if (statusCode !== 200 || prompt === undefined || generated === undefined) return null;
      return { prompt: Number(prompt), generated: Number(generated) };
    });
  } catch {
    return null;
  }
}
