import type { IncomingHttpHeaders } from 'node:http';
import type { Lease } from '../lease.ts';
import { EventBreak } from './event-break.ts';
import type { Exchange } from './exchange.ts';
import type { Family } from './families.ts';
import { isEventStream } from './headers.ts';
import type { HttpProblem } from './openai-errors.ts';
import { leaseHeaders } from './pass-through.ts';
import type { ReplySink } from './reply-sink.ts';
import { problemOfReply } from './runner-errors.ts';

/** Enough of an error reply to know what it says. */
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * Goes on with a stream that was begun while the client waited: the runner's events follow as they are. Its headers come
 * too late, so what they would say of the lease is said in comments, and an error reply becomes an error event.
 */
export class BegunStream implements ReplySink {
  readonly #exchange: Exchange;
  readonly #lease: Lease;
  readonly #family: Family;
  readonly #break = new EventBreak();
  #status = 200;
  /** Collects a reply that is no stream. */
  #refusal: Buffer[] | null = null;
  #refusalBytes = 0;

  constructor(exchange: Exchange, lease: Lease, family: Family) {
    this.#exchange = exchange;
    this.#lease = lease;
    this.#family = family;
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    if (status >= 400 || !isEventStream(headers)) this.#refusal = [];
    const told = Object.entries(leaseHeaders(this.#lease, this.#exchange));
    this.#exchange.response.write(`${told.map(([name, value]) => `: ${name}: ${value}\n`).join('')}\n`);
  }

  data(chunk: Buffer): boolean {
    if (this.#refusal) {
      this.#refusalBytes += chunk.length;
      if (this.#refusalBytes <= MAX_ERROR_BYTES) this.#refusal.push(chunk);
      return true;
    }
    this.#break.see(chunk);
    return this.#exchange.response.write(chunk);
  }

  end(): void {
    const { response } = this.#exchange;
    if (!this.#refusal) return void response.end();
    const text = Buffer.concat(this.#refusal).toString('utf8');
    response.end(this.#family.errorEvent(problemOfReply(this.#status, text)));
  }

  cut(problem: HttpProblem): void {
    this.#exchange.response.end(this.#break.missing + this.#family.errorEvent(problem));
  }
}
