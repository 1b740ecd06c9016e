import type { Trace } from '../../src/simulation/trace.ts';
import { Random } from '../races/random.ts';

/** No model's requests are moved farther than this. */
const LONGEST_SHIFT_MS = 1_800_000;
const SEED = 7;

/** What a trace is played as, beside as it is: what was tuned on one of them must hold on all. */
export const changes = {
  'as it is': (trace) => trace,
  'each model shifted': shifted,
  'loads × 0.1': (trace) => withLoads(trace, 0.1),
  'loads × 0.3': (trace) => withLoads(trace, 0.3),
  'loads × 3': (trace) => withLoads(trace, 3),
} as const satisfies Record<string, (trace: Trace) => Trace>;

export type Change = keyof typeof changes;

/** Each model's requests begin some time later; those that would come after the end come at the beginning. */
function shifted(trace: Trace): Trace {
  const random = new Random(SEED);
  const endMs = trace.requests.at(-1)?.atMs ?? 1;
  const offsets = new Map(trace.models.map(({ name }) => [name, random.next() * LONGEST_SHIFT_MS]));
  const requests = trace.requests.map((request) => ({
    ...request,
    atMs: (request.atMs + (offsets.get(request.model) ?? 0)) % endMs,
  }));
  return { ...trace, requests: requests.toSorted((a, b) => a.atMs - b.atMs) };
}

const withLoads = (trace: Trace, factor: number): Trace => ({
  ...trace,
  models: trace.models.map((model) => ({ ...model, loadMs: model.loadMs * factor })),
});
