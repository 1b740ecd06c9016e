import type { ServerResponse } from 'node:http';
import { Gauge, Registry } from 'prom-client';
import type { Doors } from '../../actors/doors.ts';
import type { Catalogue } from '../catalogue.ts';
import { findModel } from '../config/model-names.ts';
import { sendText } from '../http/replies.ts';
import type { OnRequestEnd } from '../http/request-log.ts';
import { processMetrics } from './process-metrics.ts';
import { requestMetrics } from './request-metrics.ts';
import { watchScheduler } from './scheduler-metrics.ts';
import { stateGauges } from './state-gauges.ts';
import { TokenCounts } from './token-counts.ts';
import { ledgerOf, type Scheduler } from '../ledger-of.ts';

interface MetricsParts {
  readonly scheduler: Scheduler;
  readonly doors: Doors;
  readonly catalogue: Catalogue;
  readonly version: string;
}

/** What Corral tells Prometheus: docs/metrics.md names all of it. Labels have configured names only. */
export interface Metrics {
  readonly onRequestEnd: OnRequestEnd;
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>;
}

/** Begins to count. What is only looked at, such as memory, is read when `text` is asked for. */
export function createMetrics({ scheduler, doors, catalogue, version }: MetricsParts): Metrics {
  const registry = new Registry();
  const tokens = new TokenCounts(registry, scheduler);
  const ofProcess = processMetrics();
  new Gauge({
    name: 'corral_info',
    help: 'Always 1; the label has the version.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
  watchScheduler(registry, scheduler, doors);
  stateGauges(
    registry,
    () => {
      doors.tell();
      return ledgerOf(scheduler);
    },
    () => catalogue.entries.map(({ name }) => name),
  );
  const count = requestMetrics(registry, (name) => findModel(name, catalogue.entries)?.name);
  return {
    onRequestEnd: (entry, end) => {
      count(entry, end);
      if (entry.runnerId !== null) tokens.touch(entry.runnerId);
    },
    text: async () => {
      await tokens.readAll();
      const [own, process] = await Promise.all([registry.metrics(), ofProcess.metrics()]);
      return `${own}\n${process}`;
    },
  };
}

/** Answers `GET /metrics`. */
export const sendMetrics = (metrics: Metrics, response: ServerResponse): void => {
  metrics.text().then(
    (text) => sendText(response, 200, text, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }),
    (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
  );
};
