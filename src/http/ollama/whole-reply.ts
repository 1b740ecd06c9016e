import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from '../exchange.ts';
import type { HttpProblem } from '../openai-errors.ts';
import { sendProblem, sendText } from '../replies.ts';
import type { ReplySink } from '../reply-sink.ts';
import { problemOfReply } from '../runner-errors.ts';
import { ollama } from './family.ts';
import type { GenerationReply } from './generation-reply.ts';
import { joined } from './receive-json.ts';

/** Far more than any reply that is not streamed. */
const MAX_REPLY_BYTES = 256 * 1024 ** 2;
/** Far more than any error is long. */
const MAX_ERROR_BYTES = 64 * 1024;

/** Makes JSON in Ollama's form of JSON in llama-server's; rejects, or resolves with null, for what cannot be understood. */
type Translate = (json: Uint8Array) => Promise<Buffer | null>;

/** For a generation that a runner gave in one piece. */
export const ofJson =
  (reply: GenerationReply): Translate =>
  async (json) => {
    const given: unknown = JSON.parse(Buffer.from(json).toString('utf8'));
    return typeof given === 'object' && given !== null
      ? Buffer.from(JSON.stringify(reply.ofJson(given)))
      : null;
  };

/** Collects a runner's reply, and answers with what `translate` makes of it; with its error, as `explain` tells it, if it is one. */
export class WholeReply implements ReplySink {
  readonly #exchange: Exchange;
  readonly #headers: OutgoingHttpHeaders;
  readonly #translate: Translate;
  readonly #explain: (problem: HttpProblem) => HttpProblem;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;

  constructor(
    exchange: Exchange,
    headers: OutgoingHttpHeaders,
    translate: Translate,
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
    void this.#answer();
  }

  async #answer(): Promise<void> {
    const { response } = this.#exchange;
    const chunks = this.#chunks;
    const answer = this.#status < 400 ? await this.#translate(joined(chunks)).catch(() => null) : null;
    if (answer) return sendText(response, 200, answer, this.#headers);
    const text = Buffer.concat(chunks, Math.min(this.#bytes, MAX_ERROR_BYTES)).toString('utf8');
    const problem = problemOfReply(this.#status, text);
    sendProblem(response, this.#explain(problem), ollama, this.#headers);
  }

  cut(problem: HttpProblem): void {
    sendProblem(this.#exchange.response, problem, ollama, this.#headers);
  }
}
