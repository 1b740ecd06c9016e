import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from '../exchange.ts';
import type { HttpProblem } from '../openai-errors.ts';
import { sendProblem, sendText } from '../replies.ts';
import type { ReplySink } from '../reply-sink.ts';
import { problemOfReply } from '../runner-errors.ts';
import { ollama } from './family.ts';

/** Far more than any reply that is not streamed. */
const MAX_REPLY_BYTES = 256 * 1024 ** 2;

/** Collects a runner's reply, and answers with what `translate` makes of its JSON; with its error, as `explain` tells it, if it is one. */
export class WholeReply implements ReplySink {
  readonly #exchange: Exchange;
  readonly #headers: OutgoingHttpHeaders;
  readonly #translate: (json: unknown) => object;
  readonly #explain: (problem: HttpProblem) => HttpProblem;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;

  constructor(
    exchange: Exchange,
    headers: OutgoingHttpHeaders,
    translate: (json: unknown) => object,
    explain: (problem: HttpProblem) => HttpProblem = (problem) => problem,
  ) {
    this.#exchange = exchange;
    this.#headers = headers;
    this.#translate = translate;
    this.#explain = explain;
  }

  start(status: number, _headers: IncomingHttpHeaders): void {
    this.#status = status;
  }

  data(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes <= MAX_REPLY_BYTES) this.#chunks.push(chunk);
    else this.#chunks = [];
    return true;
  }

  end(): void {
    const { response } = this.#exchange;
    const text = Buffer.concat(this.#chunks).toString('utf8');
    const answer = this.#status < 400 ? this.#translated(text) : null;
    if (answer) sendText(response, 200, JSON.stringify(answer), this.#headers);
    else sendProblem(response, this.#explain(problemOfReply(this.#status, text)), ollama, this.#headers);
  }

  cut(problem: HttpProblem): void {
    sendProblem(this.#exchange.response, problem, ollama, this.#headers);
  }

  /** Null for what cannot be understood. */
  #translated(text: string): object | null {
    try {
      const json: unknown = JSON.parse(text);
      return typeof json === 'object' && json !== null ? this.#translate(json) : null;
    } catch {
      return null;
    }
  }
}
