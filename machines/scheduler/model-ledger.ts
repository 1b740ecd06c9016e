import type { Failure } from '../failures.ts';
import type { ModelEvent, Presence } from '../model/contract.ts';
import { newModelRow, stepModel } from '../model/step.ts';
import { isReturning } from '../planning/sharing.ts';
import type { ModelSpec, RunnerId } from '../vocabulary.ts';
import type { ModelStep } from './contract.ts';
import { LedgerDraft } from './ledger-draft.ts';

/** Plays the models' charts: each mode of a model is a state there. */
export class ModelLedger extends LedgerDraft {
  readonly #steps: ModelStep[] = [];

  /** What the charts of the models have gone through since this began, in order. */
  get modelSteps(): readonly ModelStep[] {
    return this.#steps;
  }

  /** From now on it is brought back whenever it is not there. */
  pin(spec: ModelSpec): void {
    this.tell(spec.name, { type: 'model.pinned', spec });
  }

  /** From now on it is not brought back. */
  unpin(model: string): void {
    if (this.isPinned(model)) this.tell(model, { type: 'model.unpinned' });
  }

  /** A runner has to go for something else: a model that was to be loaded from the start comes back. */
  displace(runnerId: RunnerId): void {
    const spec = this.runners.get(runnerId)?.spec;
    if (spec?.comesBack) this.tell(spec.name, { type: 'model.displaced', spec });
  }

  /** It does not come back by itself. */
  drop(model: string): void {
    if (this.models.get(model)?.state.place === 'displaced') this.tell(model, { type: 'model.dropped' });
  }

  noteFailure(model: string, failure: Failure): void {
    this.tell(model, { type: 'load.failed', failure, atMs: this.now() });
  }

  /** Pauses after failures that are over by now. */
  endPauses(): void {
    for (const [model, { state, context }] of this.models)
      if (state.loads === 'backing-off' && context.failures.retryAtMs <= this.now())
        this.tell(model, { type: 'retry.due' });
  }

  /** The first of those who wait for it has come, and memory may be claimed for others of them already. */
  protected noteWaiting(model: string): void {
    this.tell(model, { type: 'requests.waiting' });
    if (this.hasClaim(model)) this.tell(model, { type: 'memory.claimed' });
  }

  protected hasClaim(model: string): boolean {
    return [...this.claims.values()].some(({ spec }) => spec.name === model);
  }

  /** The model's chart takes an event. */
  protected tell(model: string, event: ModelEvent): void {
    const before = this.models.get(model) ?? newModelRow(model);
    const after = stepModel(before, event);
    if (after === before) return;
    this.set('models', this.models, model, after);
    this.#steps.push({ model, event, before, after });
  }

  /** The furthest that any process of a model is. */
  protected presenceOf(model: string): Presence {
    const runners = this.runnersOf(model);
    if (runners.length === 0) return 'none';
    if (runners.every(isReturning)) return 'leaving';
    return runners.some(({ state }) => state === 'ready' || state === 'idle') ? 'serving' : 'starting';
  }
}
