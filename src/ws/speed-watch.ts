import { readSlots, type Slot } from '../../actors/process/read-slots.ts';
import type { RunnerRow } from '../../machines/scheduler/tables.ts';
import type { RunnerId } from '../../machines/vocabulary.ts';
import type { Row } from './protocol.ts';

const EVERY_MS = 1_000;
const ANSWER_WITHIN_MS = 2_000;

interface Look {
  readonly atMs: number;
  /** Tokens that each working slot has generated for its request, by slot. */
  readonly decoded: ReadonlyMap<number, number>;
}

/** Looks at the slots of the runners that serve somebody, once a second; two looks make a speed. */
export class SpeedWatch {
  readonly #runners: () => Iterable<RunnerRow>;
  readonly #looks = new Map<RunnerId, Look>();
  #rows: readonly Row<'speeds'>[] = [];

  constructor(runners: () => Iterable<RunnerRow>) {
    this.#runners = runners;
  }

  get rows(): readonly Row<'speeds'>[] {
    return this.#rows;
  }

  /** Begins, and says `touch` after each look; the answer ends it. */
  start(touch: () => void): () => void {
    const stop = new AbortController();
    const look = async (): Promise<void> => {
      const busy = [...this.#runners()].filter(({ leases }) => leases > 0);
      const rows = await Promise.all(busy.map((runner) => this.#speedOf(runner, stop.signal)));
      this.#rows = rows.filter((row) => row !== null);
      for (const id of this.#looks.keys())
        if (!busy.some((runner) => runner.id === id)) this.#looks.delete(id);
      touch();
    };
    const again = (): void => {
      if (stop.signal.aborted) return;
      timer = setTimeout(() => void look().then(again, () => {}), EVERY_MS);
      timer.unref();
    };
    let timer: NodeJS.Timeout | undefined;
    again();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }

  async #speedOf({ id, endpoint }: RunnerRow, signal: AbortSignal): Promise<Row<'speeds'> | null> {
    if (endpoint === null) return null;
    const slots = await readSlots(endpoint, ANSWER_WITHIN_MS, signal);
    const before = this.#looks.get(id);
    const now: Look = { atMs: performance.now(), decoded: decodedBy(slots) };
    this.#looks.set(id, now);
    return before ? { id, tokensPerSecond: speedBetween(before, now) } : null;
  }
}

/** To a tenth. A slot that counts less than before has begun with another request. */
function speedBetween(before: Look, now: Look): number {
  let tokens = 0;
  for (const [slot, count] of now.decoded) {
    const earlier = before.decoded.get(slot) ?? 0;
    tokens += count >= earlier ? count - earlier : count;
  }
  return Math.round((tokens / (now.atMs - before.atMs)) * 10_000) / 10;
}

const decodedBy = (slots: readonly Slot[]): Map<number, number> =>
  new Map(slots.filter((slot) => slot.is_processing).map((slot) => [slot.id, decodedOf(slot)]));

function decodedOf({ next_token: next = [] }: Slot): number {
  const [first] = [next].flat();
  return first?.n_decoded ?? 0;
}
