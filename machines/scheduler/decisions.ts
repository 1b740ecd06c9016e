import type { Decision } from '../planning/view.ts';
import type { LeaseId, Reservation, RunnerId } from '../vocabulary.ts';
import type { DecisionKind, DecisionRecord } from './contract.ts';
import type { Ledger } from './ledger.ts';

interface Facts {
  readonly model: string;
  readonly reason: string;
  readonly code?: DecisionRecord['code'];
  readonly runnerId?: RunnerId;
  readonly leaseId?: LeaseId;
  readonly reservation?: Reservation;
}

/** One line of the decision log. */
export const recordOf = (ledger: Ledger, kind: DecisionKind, facts: Facts): DecisionRecord => ({
  seq: ledger.nextDecisionSeq(),
  atMs: ledger.now(),
  kind,
  model: facts.model,
  runnerId: facts.runnerId ?? null,
  leaseId: facts.leaseId ?? null,
  reason: facts.reason,
  code: facts.code ?? null,
  reservation: facts.reservation ?? null,
});

/** What the log says of a planner's decision before it is carried out; an eviction is one line per victim. */
export function recordsOf(ledger: Ledger, decision: Decision, runnerId?: RunnerId): DecisionRecord[] {
  switch (decision.kind) {
    case 'grant': {
      const model = ledger.runners.get(decision.runnerId)?.spec.name ?? '';
      const reason = `${decision.runnerId} has a free slot`;
      return [
        recordOf(ledger, 'grant', { model, reason, runnerId: decision.runnerId, leaseId: decision.leaseId }),
      ];
    }
    case 'refuse': {
      const model = ledger.waitingOf(decision.leaseId)?.spec.name ?? '';
      const { leaseId, failure } = decision;
      return [recordOf(ledger, 'refuse', { model, reason: failure.message, code: failure.code, leaseId })];
    }
    case 'start': {
      const { spec, reason, reservation } = decision;
      return [
        recordOf(ledger, 'load', { model: spec.name, reason, reservation, ...(runnerId && { runnerId }) }),
      ];
    }
    case 'claim': {
      const { spec, reason, reservation } = decision;
      const claim = recordOf(ledger, 'claim', { model: spec.name, reason, reservation });
      const evictions = decision.victims.map((victim) =>
        recordOf(ledger, 'evict', {
          model: ledger.runners.get(victim.runnerId)?.spec.name ?? '',
          reason: victim.reason,
          code: victim.code,
          runnerId: victim.runnerId,
        }),
      );
      return [claim, ...evictions];
    }
    case 'evict': {
      const { runnerId: victim, code, reason } = decision;
      const model = ledger.runners.get(victim)?.spec.name ?? '';
      return [recordOf(ledger, 'evict', { model, reason, code, runnerId: victim })];
    }
    case 'unclaim':
      return [
        recordOf(ledger, 'unclaim', {
          model: ledger.claims.get(decision.classKey)?.spec.name ?? '',
          reason: decision.reason,
        }),
      ];
    case 'rest':
      return [];
  }
}
