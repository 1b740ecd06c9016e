/** What a client may ask of the HTTP side. No limit here bounds how long a reply may take. */
export interface HttpLimits {
  /** Most bytes of one request body; more is a 413. */
  readonly maxBodyBytes: number;
  /** Most bytes of request bodies held at once, over all requests; more is a 503. */
  readonly maxHeldBytes: number;
  /** Most bytes of one request's headers; more is a 431. */
  readonly maxHeaderBytes: number;
  /** Most client connections at a time; more are closed as they come. */
  readonly maxConnections: number;
  /** Longest time to receive a request's headers. */
  readonly headersTimeoutMs: number;
  /** Longest time to receive a whole request, body included. */
  readonly requestTimeoutMs: number;
  /** How long an idle client connection stays open. */
  readonly keepAliveTimeoutMs: number;
  /** How long a streaming client waits for its model without a sign, before the first one and between two. */
  readonly waitSignEveryMs: number;
  /** The same for a client that asks for progress. */
  readonly progressEveryMs: number;
}

const MIB = 1024 ** 2;

/** `maxBodyBytes` is llama-server's own limit (100 MiB in cpp-httplib): a larger body would be refused there. */
export const defaultHttpLimits: HttpLimits = {
  maxBodyBytes: 100 * MIB,
  maxHeldBytes: 512 * MIB,
  maxHeaderBytes: 32 * 1024,
  maxConnections: 4_096,
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 300_000,
  keepAliveTimeoutMs: 65_000,
  waitSignEveryMs: 5_000,
  progressEveryMs: 1_000,
};
