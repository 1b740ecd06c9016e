import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Failure } from '../../machines/failures.ts';
import { ServiceError } from '../errors.ts';
import type { Lease } from '../lease.ts';
import type { Call } from './call.ts';
import type { Exchange } from './exchange.ts';
import { upstreamHeaders } from './headers.ts';
import { ClientGone } from './openai-errors.ts';
import { faultOfError, faultOfHead, MAX_INTERIM_REPLIES } from './reply-faults.ts';
import type { ReplySink } from './reply-sink.ts';

/** How one attempt to have a request served ended. The reply is finished only after `complete`. */
export type ForwardResult =
  | { readonly kind: 'complete' }
  /** What had happened by then tells how soon the runner stops working on it. */
  | { readonly kind: 'client-gone'; readonly after: 'nothing' | 'request' | 'reply' }
  /** The client has nothing of the runner's reply: another runner may be tried. */
  | ({ readonly kind: 'lost-before-reply' } & Loss)
  /** The client has a part of the reply. */
  | ({ readonly kind: 'lost-in-reply' } & Loss);

/** Why a reply was lost, as far as it is known. */
export interface Loss {
  /** What the scheduler said of the runner. */
  readonly failure: Failure | null;
  /** What is wrong with the reply itself. */
  readonly fault: string | null;
}

/** What `forward` needs for one attempt. */
export interface Forwarding {
  readonly exchange: Exchange;
  readonly call: Call;
  readonly lease: Lease;
  readonly reply: ReplySink;
  readonly dispatcher: Dispatcher;
}

/**
 * Sends a request to a leased runner, and gives its reply to the sink as it comes. It never rejects, and it sets no time
 * limit; it neither retries nor releases the lease. Once the client gets the first byte, the held body is let go.
 */
export const forward = (forwarding: Forwarding): Promise<ForwardResult> =>
  new Promise((resolve) => {
    const { exchange, lease, call, dispatcher } = forwarding;
    const relay = new Relay(forwarding, resolve);
    if (relay.settled) return;
    const { chunks, bytes } = call.body;
    dispatcher.dispatch(
      {
        method: call.method as Dispatcher.HttpMethod,
        path: call.target,
        reset: call.mayStream,
        headers: upstreamHeaders(exchange.request.headers, {
          apiKey: lease.endpoint.apiKey,
          bodyBytes: bytes,
          trace: exchange.trace?.headers,
        }),
        body: chunks.length > 1 ? Readable.from(chunks) : (chunks[0] ?? null),
      },
      relay,
    );
  });

/** Passes one reply on. The first of reply's end, connection's end, lost lease and departed client settles it. */
class Relay implements Dispatcher.DispatchHandler {
  settled = false;
  readonly #forwarding: Forwarding;
  readonly #resolve: (result: ForwardResult) => void;
  #controller: Dispatcher.DispatchController | null = null;
  /** Error codes are the same before and after the first byte, so this flag alone tells the two apart. */
  #hasReplied = false;
  #interimReplies = 0;

  constructor(forwarding: Forwarding, resolve: (result: ForwardResult) => void) {
    this.#forwarding = forwarding;
    this.#resolve = resolve;
    const { exchange, lease } = forwarding;
    exchange.gone.addEventListener('abort', this.#onGone);
    lease.lost.addEventListener('abort', this.#onLost);
    if (exchange.gone.aborted) this.#onGone();
    else if (lease.lost.aborted) this.#onLost();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.settled) controller.abort(new ClientGone());
    else this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusText?: string,
  ): void {
    if (this.settled) return;
    const fault = faultOfHead(status, headers, statusText) ?? this.#faultOfInterim(status);
    if (fault !== null) return this.#refuse(controller, fault);
    if (status < 200) return;
    const { exchange, call, reply } = this.#forwarding;
    this.#hasReplied = true;
    exchange.entry.firstByteMs = Math.round(exchange.elapsedMs());
    if (!reply.tellsAtEnd) call.body.drop();
    reply.start(status, headers, statusText);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) return;
    const { exchange, reply } = this.#forwarding;
    exchange.usage.see(chunk);
    exchange.capture?.replied(chunk);
    if (reply.data(chunk)) return;
    controller.pause();
    exchange.response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    if (this.settled) return;
    this.#forwarding.reply.end();
    this.#settle({ kind: 'complete' });
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    this.#lose({ failure: null, fault: faultOfError(error, this.#hasReplied) });
  }

  #faultOfInterim(status: number): string | null {
    if (status >= 200) return null;
    this.#interimReplies += 1;
    return this.#interimReplies > MAX_INTERIM_REPLIES
      ? 'it goes on announcing a reply that does not come'
      : null;
  }

  #refuse(controller: Dispatcher.DispatchController, fault: string): void {
    this.#lose({ failure: null, fault });
    controller.abort(new Error(fault));
  }

  readonly #onGone = (): void => {
    if (this.settled) return;
    const after = this.#hasReplied ? 'reply' : this.#controller ? 'request' : 'nothing';
    this.#settle({ kind: 'client-gone', after });
    this.#controller?.abort(new ClientGone());
  };

  readonly #onLost = (): void => {
    if (this.settled) return;
    const { reason } = this.#forwarding.lease.lost;
    this.#lose({ failure: reason instanceof ServiceError ? reason.failure : null, fault: null });
    this.#controller?.abort(new Error('the runner was lost'));
  };

  #lose(loss: Loss): void {
    const isTold = this.#hasReplied && !this.#forwarding.reply.tellsAtEnd;
    this.#settle({ kind: isTold ? 'lost-in-reply' : 'lost-before-reply', ...loss });
  }

  #settle(result: ForwardResult): void {
    if (this.settled) return;
    this.settled = true;
    const { exchange, lease } = this.#forwarding;
    exchange.gone.removeEventListener('abort', this.#onGone);
    lease.lost.removeEventListener('abort', this.#onLost);
    this.#resolve(result);
  }
}
