import { collectDefaultMetrics, Registry } from 'prom-client';

let registry: Registry | null = null;

/**
 * Node's own metrics: memory, CPU, event loop, garbage collection. Of the process, so there is one for all services in it,
 * and none until somebody asks.
 */
export function processMetrics(): Registry {
  if (registry === null) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry;
}
