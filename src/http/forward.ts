import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Failure } from '../../machines/failures.ts';
import { ServiceError } from '../errors.ts';
import type { Lease } from '../lease.ts';
import type { Exchange } from './exchange.ts';
import { downstreamHeaders, isEventStream, upstreamHeaders } from './headers.ts';
import { ClientGone } from './openai-errors.ts';
import type { HeldBody } from './read-body.ts';

/** How one attempt to have a request served ended. The reply is finished only after `complete`. */
export type ForwardResult =
  | { readonly kind: 'complete' }
  | { readonly kind: 'client-gone' }
  /** Nothing has been sent to the client: another runner may be tried. */
  | { readonly kind: 'lost-before-reply'; readonly failure: Failure | null }
  /** The client has a part of the reply. `lineBreaks` end the event that may have been cut. */
  | {
      readonly kind: 'lost-in-reply';
      readonly failure: Failure | null;
      readonly eventStream: { readonly lineBreaks: string } | null;
    };

/** What `forward` needs for one attempt. */
export interface Forwarding {
  readonly exchange: Exchange;
  readonly lease: Lease;
  readonly body: HeldBody;
  readonly dispatcher: Dispatcher;
}

const NEWLINE = 0x0a;

/**
 * Sends a request to a leased runner and its reply to the client, byte for byte as it comes. It never rejects, and it
 * sets no time limit; it neither retries nor releases the lease. Once the first response byte is here, the held body
 * is let go.
 */
export const forward = (forwarding: Forwarding): Promise<ForwardResult> =>
  new Promise((resolve) => {
    const { exchange, lease, body, dispatcher } = forwarding;
    const relay = new Relay(forwarding, resolve);
    if (relay.settled) return;
    dispatcher.dispatch(
      {
        method: 'POST',
        path: exchange.target,
        headers: upstreamHeaders(exchange.request.headers, {
          apiKey: lease.endpoint.apiKey,
          bodyBytes: body.bytes,
        }),
        body: body.chunks.length === 1 ? (body.chunks[0] ?? null) : Readable.from(body.chunks),
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
  #replied = false;
  #eventStream = false;
  /** The last two bytes passed on: do they end an event? */
  #lastByte = NEWLINE;
  #lastButOne = NEWLINE;

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
    if (this.settled || status < 200) return;
    const { exchange, lease, body } = this.#forwarding;
    const { response, entry } = exchange;
    this.#replied = true;
    this.#eventStream = isEventStream(headers);
    entry.firstByteMs = exchange.elapsedMs();
    body.drop();
    response.writeHead(
      status,
      statusText,
      downstreamHeaders(headers, {
        'x-corral-runner': lease.runnerId,
        'x-corral-wait-ms': String(entry.waitMs),
        'x-corral-load-ms': String(entry.loadMs),
      }),
    );
    response.on('drain', () => controller.resume());
    // With the first bytes of the body if they are here already, and otherwise without waiting for them.
    process.nextTick(() => {
      if (entry.replyBytes === 0 && !this.settled) response.flushHeaders();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) return;
    const { response, entry } = this.#forwarding.exchange;
    entry.replyBytes += chunk.length;
    this.#lastButOne = chunk.at(-2) ?? this.#lastByte;
    this.#lastByte = chunk.at(-1) ?? this.#lastByte;
    if (!response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.settled) return;
    this.#forwarding.exchange.response.end();
    this.#settle({ kind: 'complete' });
  }

  onResponseError(): void {
    this.#lose(null);
  }

  readonly #onGone = (): void => {
    if (this.settled) return;
    this.#settle({ kind: 'client-gone' });
    this.#controller?.abort(new ClientGone());
  };

  readonly #onLost = (): void => {
    if (this.settled) return;
    const { reason } = this.#forwarding.lease.lost;
    this.#lose(reason instanceof ServiceError ? reason.failure : null);
    this.#controller?.abort(new Error('the runner was lost'));
  };

  #lose(failure: Failure | null): void {
    if (!this.#replied) return this.#settle({ kind: 'lost-before-reply', failure });
    this.#settle({
      kind: 'lost-in-reply',
      failure,
      eventStream: this.#eventStream ? { lineBreaks: this.#missingLineBreaks() } : null,
    });
  }

  #missingLineBreaks(): string {
    if (this.#lastByte !== NEWLINE) return '\n\n';
    return this.#lastButOne === NEWLINE ? '' : '\n';
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
