import type { Lease } from '../lease.ts';
import type { Family } from './families.ts';
import type { LeaseWishes } from './lease-wishes.ts';
import type { HeldBody } from './read-body.ts';
import type { ReplySink } from './reply-sink.ts';
import type { Signs } from './waiting-signs.ts';

/** A request that can be served: whom it is for, what is sent there, and what becomes of the reply. */
export interface Call {
  readonly model: string;
  readonly method: string;
  /** Path and query as the runner gets them. */
  readonly target: string;
  /** Must be dropped. */
  readonly body: HeldBody;
  readonly wishes: LeaseWishes;
  /** A lease, which loads the model if need be; or a look at what is loaded, and a lease otherwise if it may be. */
  readonly access: 'lease' | 'look' | 'look-or-lease';
  /**
   * Whether the reply may be an event stream. llama-server closes the connection after one without having said so: none may
   * be kept, or the next request would meet its end.
   */
  readonly mayStream: boolean;
  readonly family: Family;
  /** What the client is sent while it waits. */
  readonly signs: Signs;
  /** Makes the client's reply of the runner's. One for each attempt. */
  replyTo(lease: Lease): ReplySink;
}
