import type { IncomingHttpHeaders } from 'node:http';
import type { Lease } from '../lease.ts';
import { bodyBytesOf } from './counted-response.ts';
import { EventBreak } from './event-break.ts';
import type { Exchange } from './exchange.ts';
import type { Family } from './families.ts';
import { downstreamHeaders, isEventStream } from './headers.ts';
import type { HttpProblem } from './openai-errors.ts';
import type { ReplySink } from './reply-sink.ts';

/** Which runner served, and how long the client waited for it. */
export const leaseHeaders = (lease: Lease, { entry }: Exchange): Readonly<Record<string, string>> => ({
  'x-corral-runner': lease.runnerId,
  'x-corral-wait-ms': String(entry.waitMs),
  'x-corral-load-ms': String(entry.loadMs),
});

const NOT_IMPLEMENTED = 501;

/** Gives the client a runner's reply as it is, byte for byte as it comes. */
export class PassThrough implements ReplySink {
  readonly #exchange: Exchange;
  readonly #lease: Lease;
  readonly #family: Family;
  readonly #break = new EventBreak();
  #isEventStream = false;

  constructor(exchange: Exchange, lease: Lease, family: Family) {
    this.#exchange = exchange;
    this.#lease = lease;
    this.#family = family;
  }

  start(status: number, headers: IncomingHttpHeaders, statusText?: string): void {
    const { response } = this.#exchange;
    this.#isEventStream = isEventStream(headers);
    response.writeHead(
      status,
      statusText,
      downstreamHeaders(headers, {
        ...leaseHeaders(this.#lease, this.#exchange),
        // What a runner was not started for it will not have in a minute either.
        ...(status === NOT_IMPLEMENTED && { 'x-should-retry': 'false' }),
      }),
    );
    // With the first bytes of the body if they are here already, and otherwise without waiting for them.
    process.nextTick(() => {
      if (bodyBytesOf(response) === 0 && !response.destroyed) response.flushHeaders();
    });
  }

  data(chunk: Buffer): boolean {
    this.#break.see(chunk);
    return this.#exchange.response.write(chunk);
  }

  end(): void {
    this.#exchange.response.end();
  }

  /** An event stream gets an error event and no `[DONE]`, anything else a broken connection. */
  cut(problem: HttpProblem): void {
    const { response } = this.#exchange;
    if (this.#isEventStream) response.end(this.#break.missing + this.#family.errorEvent(problem));
    else response.destroy();
  }
}
