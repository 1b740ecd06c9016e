import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** Headers that concern one connection only (RFC 9110, section 7.6.1), with the older ones that some still send. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * Not sent to a runner: what is replaced (`host`, length), what was dealt with here (`expect`), the client's
 * credentials, and `accept-encoding`, since compressing between two processes of one machine helps nobody. Nor are
 * `X-Corral-…` headers, which are for Corral.
 */
const notUpstream = new Set([
  ...hopByHop,
  'host',
  'content-length',
  'expect',
  'authorization',
  'x-api-key',
  'cookie',
  'accept-encoding',
]);

const notDownstream = new Set(hopByHop);

/** The headers that `Connection` names, which concern this connection only as well. */
const namedByConnection = (connection: string | string[] | undefined): ReadonlySet<string> | null => {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return null;
  const names = String(connection).toLowerCase().split(',');
  return new Set(names.map((name) => name.trim()));
};

/** The header list for a runner: the client's without what must not travel, plus the runner's own key and the length. */
export const upstreamHeaders = (
  headers: IncomingHttpHeaders,
  {
    apiKey,
    bodyBytes,
    trace,
  }: {
    readonly apiKey: string;
    readonly bodyBytes: number;
    /** Replaces what the client said of its trace. */
    readonly trace?: Readonly<Record<string, string>> | undefined;
  },
): string[] => {
  const named = namedByConnection(headers.connection);
  const list = ['authorization', `Bearer ${apiKey}`, 'content-length', String(bodyBytes)];
  for (const name in trace) list.push(name, trace[name] ?? '');
  for (const [name, value] of Object.entries(headers)) {
    if (trace && (name === 'traceparent' || name === 'tracestate')) continue;
    if (value === undefined || notUpstream.has(name) || named?.has(name)) continue;
    if (name.startsWith('x-corral-')) continue;
    for (const one of Array.isArray(value) ? value : [value]) list.push(name, one);
  }
  return list;
};

/** True if the reply is a stream of server-sent events. */
export const isEventStream = (headers: IncomingHttpHeaders): boolean =>
  headers['content-type']?.toLowerCase().startsWith('text/event-stream') ?? false;

/**
 * The header list for the client. A runner's CORS headers stay behind: which web pages may read replies is not a
 * runner's decision. An event stream is marked so that no proxy on the way collects it first.
 */
export const downstreamHeaders = (
  headers: IncomingHttpHeaders,
  own: Readonly<Record<string, string>>,
): OutgoingHttpHeaders => {
  const named = namedByConnection(headers.connection);
  const kept: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (notDownstream.has(name) || named?.has(name)) continue;
    if (name.startsWith('access-control-') || name.startsWith('x-corral-')) continue;
    kept[name] = value;
  }
  if (isEventStream(headers)) {
    // It may have to end with an event more, which says what went wrong.
    delete kept['content-length'];
    kept['x-accel-buffering'] ??= 'no';
    kept['cache-control'] ??= 'no-cache';
  }
  return Object.assign(kept, own);
};
