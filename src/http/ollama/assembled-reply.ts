import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from '../exchange.ts';
import { isEventStream } from '../headers.ts';
import { badReply, type HttpProblem } from '../openai-errors.ts';
import { sendProblem, sendText } from '../replies.ts';
import type { ReplySink } from '../reply-sink.ts';
import { EventLines } from './event-lines.ts';
import { ollama } from './family.ts';
import type { GenerationReply } from './generation-reply.ts';
import { readPiece } from './piece.ts';
import { ofJson, WholeReply } from './whole-reply.ts';

/** Puts a runner's stream together for a client that wants no stream. */
export class AssembledReply implements ReplySink {
  readonly tellsAtEnd = true;
  readonly #exchange: Exchange;
  readonly #headers: OutgoingHttpHeaders;
  readonly #reply: GenerationReply;
  readonly #events = new EventLines();
  /** For a reply that is no stream: an error. */
  #whole: WholeReply | null = null;
  #problem: HttpProblem | null = null;

  constructor(exchange: Exchange, headers: OutgoingHttpHeaders, reply: GenerationReply) {
    this.#exchange = exchange;
    this.#headers = headers;
    this.#reply = reply;
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    if (status < 400 && isEventStream(headers)) return;
    this.#whole = new WholeReply(this.#exchange, this.#headers, ofJson(this.#reply));
    this.#whole.start(status, headers);
  }

  data(chunk: Buffer): boolean {
    if (this.#whole) return this.#whole.data(chunk);
    try {
      this.#events.push(chunk, (value) => {
        const piece = readPiece(value);
        if (piece.error !== null) this.#problem ??= badReply(piece.error, 500);
        this.#reply.keep(piece);
      });
    } catch {
      this.#problem ??= badReply('the reply of the runner cannot be understood', 502);
    }
    return true;
  }

  end(): void {
    if (this.#whole) return this.#whole.end();
    if (this.#problem) return this.cut(this.#problem);
    sendText(this.#exchange.response, 200, JSON.stringify(this.#reply.whole()), this.#headers);
  }

  cut(problem: HttpProblem): void {
    sendProblem(this.#exchange.response, problem, ollama, this.#headers);
  }
}
