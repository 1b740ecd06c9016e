import { Template } from '@huggingface/jinja';
import {
  getLlama,
  readGgufFileInfo,
  type LlamaContext,
  type LlamaEmbeddingContext,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp';
import type { Arguments } from './arguments.ts';
import { badRequest } from './api-error.ts';
import { Slots } from './slots.ts';

const BATCH_TOKENS = 512;
/** For models that bring no template. */
const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** The loaded model: texts to tokens and back, slots to generate in, embeddings. */
export class Engine {
  readonly log: (line: string) => void;
  readonly slots: Slots | null;
  readonly chatTemplate: string;
  readonly contextTokens: number;
  /** Tokens since the start: of prompts, without what was cached, and generated. */
  readonly counts = { prompt: 0, generated: 0 };
  readonly #model: LlamaModel;
  readonly #embedding: LlamaEmbeddingContext | null;
  readonly #template: Template;

  constructor(
    model: LlamaModel,
    context: LlamaContext | null,
    embedding: LlamaEmbeddingContext | null,
    args: Arguments,
    log: (line: string) => void,
  ) {
    this.log = log;
    this.#model = model;
    this.#embedding = embedding;
    this.contextTokens = Math.floor(args.totalContextTokens / args.slots);
    this.slots = context ? new Slots(context, args.slots) : null;
    this.chatTemplate = model.fileInfo.metadata.tokenizer?.chat_template ?? CHATML;
    this.#template = new Template(this.chatTemplate);
  }

  get vocabulary(): number {
    return this.#model.fileInfo.metadata.tokenizer?.ggml?.tokens?.length ?? 0;
  }
  get trainedContextTokens(): number {
    return this.#model.trainContextSize;
  }
  get embeddingLength(): number {
    return this.#model.embeddingVectorSize;
  }

  /** Tokens of a text, with the model's begin mark when it wants one. */
  tokenize(text: string, { special }: { special: boolean }): Token[] {
    const tokens = this.#model.tokenize(text, special);
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    return special && shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens;
  }

  detokenize(tokens: readonly Token[]): string {
    return this.#model.detokenize(tokens, false);
  }

  isEnd(token: Token): boolean {
    return this.#model.isEogToken(token);
  }

  /** The prompt that the model's own template makes of a conversation. */
  renderChat(messages: readonly ChatMessage[]): string {
    const { bosString, eosString } = this.#model.tokens;
    try {
      return this.#template.render({
        messages: messages.map(({ role, content }) => ({ role, content })),
        add_generation_prompt: true,
        bos_token: bosString ?? '',
        eos_token: eosString ?? '',
      });
    } catch (error) {
      throw badRequest(
        `the chat template refused these messages: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** A vector of length 1, as llama-server gives; null from a model that was not loaded for it. */
  async embed(tokens: Token[]): Promise<readonly number[] | null> {
    if (this.#embedding === null) return null;
    const { vector } = await this.#embedding.getEmbeddingFor(tokens);
    this.counts.prompt += tokens.length;
    const length = Math.hypot(...vector);
    return length > 0 ? vector.map((value) => value / length) : vector;
  }
}

/** Loads the model. `log` hears llama.cpp's own words, which alone say why a load failed. */
export async function loadEngine(args: Arguments, log: (line: string) => void): Promise<Engine> {
  // Tells a missing or foreign file before the backend is even started.
  await readGgufFileInfo(args.modelPath, { logWarnings: false });
  const llama = await getLlama({
    gpu: 'auto',
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    maxThreads: args.threads,
    logger: (level, message) => log(`${level}: ${message.trimEnd()}`),
  });
  const model = await llama.loadModel({ modelPath: args.modelPath });
  if (args.embedding) {
    const embedding = await model.createEmbeddingContext({ threads: args.threads, batchSize: BATCH_TOKENS });
    return new Engine(model, null, embedding, args, log);
  }
  const context = await model.createContext({
    // Per sequence here, where llama-server counts all slots together.
    contextSize: Math.floor(args.totalContextTokens / args.slots),
    sequences: args.slots,
    threads: args.threads,
    batchSize: BATCH_TOKENS,
  });
  return new Engine(model, context, null, args, log);
}
