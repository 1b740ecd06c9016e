/** What one reader, and all of them together, may ask of the WebSocket API. */
export interface WsLimits {
  /** Most connections at a time; more are refused with 503. */
  readonly maxConnections: number;
  /** Most bytes of one message from a client. */
  readonly maxMessageBytes: number;
  /** Most messages that a client may send within a second. */
  readonly maxMessagesPerSecond: number;
  /** Most topics that one connection may follow. */
  readonly maxSubscriptions: number;
  /** Most commands of one connection that may be under way. */
  readonly maxCommands: number;
  /** Bytes that may wait for a slow reader; beyond them changes are left out, and a snapshot follows once it has caught up. */
  readonly maxBufferedBytes: number;
  /** A reader that has not caught up for so long is closed with 1013. */
  readonly stallMs: number;
  /** Changes within this time are told together. */
  readonly tickMs: number;
  /** The same for each reader of the topic that has most: many readers are told less often, and cost no more than few. */
  readonly tickPerReaderMs: number;
  /** How long readers are told at a time; everything else waits meanwhile. One reader's share is not divided. */
  readonly roundMs: number;
  /** How long readers wait for the next round when one was not enough: many readers get a bounded share of the time. */
  readonly restMs: number;
  /** How often a sign of life is asked of each connection; one without any in this time is closed. */
  readonly heartbeatMs: number;
  /** From a polite end to a cut. */
  readonly closeGraceMs: number;
  /** Topics that nobody follows any more and that are kept for those who come back. */
  readonly maxIdleFeeds: number;
}

const MIB = 1024 ** 2;

export const defaultWsLimits: WsLimits = {
  maxConnections: 1_000,
  maxMessageBytes: 64 * 1024,
  maxMessagesPerSecond: 100,
  maxSubscriptions: 64,
  maxCommands: 16,
  maxBufferedBytes: MIB,
  stallMs: 60_000,
  tickMs: 50,
  tickPerReaderMs: 0.5,
  roundMs: 0.25,
  restMs: 2,
  heartbeatMs: 30_000,
  closeGraceMs: 1_000,
  maxIdleFeeds: 64,
};
