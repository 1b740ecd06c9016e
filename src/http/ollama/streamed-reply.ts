import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from '../exchange.ts';
import { isEventStream } from '../headers.ts';
import type { HttpProblem } from '../openai-errors.ts';
import type { ReplySink } from '../reply-sink.ts';
import { EventLines } from './event-lines.ts';
import { ollama } from './family.ts';
import type { GenerationReply } from './generation-reply.ts';
import { readPiece } from './piece.ts';
import { ofJson, WholeReply } from './whole-reply.ts';

/** Turns a runner's stream of events into Ollama's lines of JSON, each as soon as it is known. */
export class StreamedReply implements ReplySink {
  readonly #exchange: Exchange;
  readonly #headers: OutgoingHttpHeaders;
  readonly #reply: GenerationReply;
  readonly #events = new EventLines();
  /** For a reply that is no stream: an error. */
  #whole: WholeReply | null = null;
  /** An error has ended the stream; what else comes is not told. */
  #hasFailed = false;

  constructor(exchange: Exchange, headers: OutgoingHttpHeaders, reply: GenerationReply) {
    this.#exchange = exchange;
    this.#headers = headers;
    this.#reply = reply;
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    if (status >= 400 || !isEventStream(headers)) {
      this.#whole = new WholeReply(this.#exchange, this.#headers, ofJson(this.#reply));
      return this.#whole.start(status, headers);
    }
    const { response } = this.#exchange;
    response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'x-accel-buffering': 'no',
      'cache-control': 'no-cache',
      ...this.#headers,
    });
    response.flushHeaders();
  }

  data(chunk: Buffer): boolean {
    if (this.#whole) return this.#whole.data(chunk);
    if (this.#hasFailed) return true;
    let lines = '';
    try {
      this.#events.push(chunk, (value) => (lines += this.#linesFor(value)));
    } catch {
      lines += this.#fail('the reply of the runner cannot be understood');
    }
    return lines === '' || this.#exchange.response.write(lines);
  }

  end(): void {
    if (this.#whole) return this.#whole.end();
    const closing = this.#hasFailed ? [] : this.#reply.closing();
    this.#exchange.response.end(closing.map(toLine).join(''));
  }

  cut(problem: HttpProblem): void {
    if (this.#whole) return this.#whole.cut(problem);
    this.#exchange.response.end(this.#hasFailed ? '' : ollama.errorEvent(problem));
  }

  #linesFor(value: unknown): string {
    if (this.#hasFailed) return '';
    const piece = readPiece(value);
    if (piece.error !== null) return this.#fail(piece.error);
    const line = this.#reply.line(piece);
    return line ? toLine(line) : '';
  }

  #fail(error: string): string {
    this.#hasFailed = true;
    return toLine({ error });
  }
}

const toLine = (value: object): string => `${JSON.stringify(value)}\n`;
