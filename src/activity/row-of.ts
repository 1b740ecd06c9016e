import type { RequestEnd, RequestEntry } from '../http/request-log.ts';

/** One request that has ended, as it is told: names, sizes and times, never a prompt or a key. Null is what nobody said. */
export interface ActivityRow {
  /** Counts up from 1. */
  readonly id: number;
  /** When it arrived, as ISO 8601. */
  readonly at: string;
  readonly model: string | null;
  readonly caller: string | null;
  readonly method: string;
  readonly path: string;
  readonly api: string;
  readonly status: number;
  readonly outcome: string;
  readonly stream: boolean;
  readonly runnerId: string | null;
  /** Cached ones among them. */
  readonly inputTokens: number | null;
  readonly cachedTokens: number | null;
  readonly outputTokens: number | null;
  readonly waitMs: number;
  readonly loadMs: number;
  readonly firstByteMs: number | null;
  readonly durationMs: number;
  readonly promptPerSecond: number | null;
  readonly generatedPerSecond: number | null;
  readonly requestBytes: number;
  readonly replyBytes: number;
  /** Whether its bodies are kept. */
  readonly hasBodies: boolean;
}

/** What is told of a request at its end. */
export function rowOf(id: number, atMs: number, entry: RequestEntry, end: RequestEnd): ActivityRow {
  const { inputTokens = null, cachedTokens = null, outputTokens = null } = end.usage ?? {};
  return {
    id,
    at: new Date(atMs).toISOString(),
    model: entry.model,
    caller: entry.caller,
    method: entry.method,
    path: entry.path,
    api: end.api,
    status: end.status,
    outcome: entry.outcome,
    stream: entry.stream,
    runnerId: entry.runnerId,
    inputTokens,
    cachedTokens,
    outputTokens,
    waitMs: entry.waitMs,
    loadMs: entry.loadMs,
    firstByteMs: entry.firstByteMs,
    durationMs: end.durationMs,
    promptPerSecond: promptSpeed(end),
    generatedPerSecond: generationSpeed(entry, end),
    requestBytes: entry.requestBytes,
    replyBytes: entry.replyBytes,
    hasBodies: false,
  };
}

/** Of what was read anew: what was cached took no time. */
function promptSpeed({ usage = {} }: RequestEnd): number | null {
  const { inputTokens, cachedTokens = 0, promptMs } = usage;
  return inputTokens === undefined ? null : perSecond(inputTokens - cachedTokens, promptMs);
}

/** As the runner says; where it does not, of a stream what came after its first byte. */
function generationSpeed(
  { stream, firstByteMs }: RequestEntry,
  { usage = {}, durationMs }: RequestEnd,
): number | null {
  const { outputTokens, generationMs } = usage;
  if (outputTokens === undefined) return null;
  const seenMs = stream && firstByteMs !== null ? durationMs - firstByteMs : undefined;
  return perSecond(outputTokens, generationMs ?? seenMs);
}

/** To a tenth. */
const perSecond = (tokens: number, ms: number | undefined): number | null =>
  ms === undefined || ms <= 0 || tokens <= 0 ? null : Math.round((tokens / ms) * 10_000) / 10;
