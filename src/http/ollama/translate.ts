import type { Variant } from '../../config/schema.ts';
import { badRequest, RequestError, type HttpProblem } from '../openai-errors.ts';
import { applyVariant, type Body } from '../variants/apply-variant.ts';
import { cutTokens, readTokens } from './cut-tokens.ts';
import { shortened, sparable, textOf, type ChatBody } from './shorten-chat.ts';
import { embeddingPieces, readEmbeddings, type EmbeddingPieces, type TextBounds } from './embeddings.ts';
import { chatCall, generateCall, type Context, type GenerationCall } from './generation-call.ts';
import { wantedBy, type Capability } from './capabilities.ts';
import {
  chatRequest,
  embeddingsRequest,
  embedRequest,
  generateRequest,
  readRequest,
  type ChatRequest,
  type EmbedRequest,
  type GenerateRequest,
} from './requests.ts';

/** The bodies that may be long, each as its JSON text, and what is to be known for reading it. */
export interface Jobs {
  readonly chat: Job & Context & Asked;
  readonly generate: Job & Context & Asked;
  /** A body for llama-server, whose path it is. */
  readonly variant: Job & { readonly variant: Variant; readonly path: string };
  readonly embed: Job & TextBounds;
  readonly embeddings: Job & TextBounds;
  readonly tokens: Job & Fitting;
  /** A chat for llama-server, to be asked without its oldest messages. */
  readonly shorten: Job & { readonly leftOut: number };
  /** A chat whose tokens are to be counted, and what its runner made of it by its template. */
  readonly counting: Job & { readonly templated: Uint8Array };
  readonly vectors: Job & Wanted;
}

interface Job {
  readonly json: Uint8Array;
}

interface Asked {
  /** How the model is asked under this name; null and absent for as the request says. */
  readonly variant?: Variant | null;
}

interface Fitting {
  /** As many of a text's tokens are read. */
  readonly limitTokens: number;
  /** The tokens of an empty text. */
  readonly marks: readonly number[];
}

interface Wanted {
  /** 0 and less is all of them. */
  readonly dimensions: number;
}

/** What becomes of each body. */
export interface Translations {
  readonly chat: Generation;
  readonly generate: Generation;
  readonly variant: Uint8Array;
  readonly embed: Embedding;
  readonly embeddings: Embedding;
  readonly tokens: Tokens;
  readonly shorten: Uint8Array;
  readonly counting: Counting;
  readonly vectors: Vectors;
}

type KeepAlive = ChatRequest['keep_alive'];

/** What a request for a generation comes to. */
export interface Generation {
  readonly keepAlive: KeepAlive;
  /** What it needs of its model besides completing text. */
  readonly wanted: readonly Capability[];
  /** How long all is that is said, in bytes, and how many messages may be left out of a chat that is too long. */
  readonly textBytes: number;
  readonly sparable: number;
  /** Null for one that only loads or unloads. */
  readonly call: (Omit<GenerationCall, 'body'> & { readonly body: Uint8Array }) | null;
}

/** How a runner is asked for the tokens of a chat. */
export interface Counting {
  /** The body for `/tokenize`. */
  readonly question: Uint8Array;
  readonly messages: number;
  /** The text is that of the template, and not only what is said. */
  readonly isTemplated: boolean;
}

/** What a request for embeddings comes to. */
export interface Embedding extends EmbeddingPieces {
  readonly keepAlive: KeepAlive;
  readonly truncate: boolean;
  readonly dimensions: number;
}

/** The tokens of a text, as its runner has told them. */
export interface Tokens {
  /** None where the runner says nothing of them. */
  readonly count: number;
  /** The JSON text of those that fit. */
  readonly fitting: Uint8Array;
}

/** The vectors of a runner's reply. */
export interface Vectors {
  /** The JSON text of a list of vectors, in the order of the texts. */
  readonly all: Uint8Array;
  /** The JSON text of the first one. */
  readonly first: Uint8Array;
  readonly promptTokens: number;
}

export type Kind = keyof Jobs;

/** What came of a body; a problem is told as a value, since it may have to travel from another thread. */
export type Translated<K extends Kind> =
  { readonly value: Translations[K] } | { readonly problem: HttpProblem };

/** More names of what had no effect are not told. */
const MOST_IGNORED_NAMES = 20;

const translations: { readonly [K in Kind]: (job: Jobs[K]) => Translations[K] } = {
  chat: ({ json, variant, ...context }) => {
    const request = readRequest(chatRequest, parsed(json));
    return generation(request, chatCall(request, context), variant);
  },
  generate: ({ json, variant, ...context }) => {
    const request = readRequest(generateRequest, parsed(json));
    return generation(request, generateCall(request, context), variant);
  },
  variant: ({ json, variant, path }) => asJson(applyVariant(parsed(json) as Body, variant, path)),
  embed: ({ json, ...bounds }) => embedding(readRequest(embedRequest, parsed(json)), bounds),
  embeddings: ({ json, ...bounds }) => {
    const { prompt, ...request } = readRequest(embeddingsRequest, parsed(json));
    return embedding({ ...request, input: prompt }, bounds);
  },
  tokens: ({ json, limitTokens, marks }) => {
    const tokens = readTokens(json);
    return { count: tokens.length, fitting: asJson(cutTokens(tokens, marks, limitTokens)) };
  },
  shorten: ({ json, leftOut }) => {
    const body = parsed(json) as ChatBody;
    return asJson({ ...body, messages: shortened(body.messages ?? [], leftOut) });
  },
  counting: ({ json, templated }) => {
    const body = parsed(json) as ChatBody;
    const prompt = promptIn(templated);
    return {
      question: asJson({ content: prompt ?? textOf(body), add_special: true }),
      messages: body.messages?.length ?? 0,
      isTemplated: prompt !== null,
    };
  },
  vectors: ({ json, dimensions }) => {
    const { vectors, promptTokens } = readEmbeddings(parsed(json), dimensions);
    return { all: asJson(vectors), first: asJson(vectors[0] ?? []), promptTokens };
  },
};

/** Translates one body. Takes processor time in proportion to its length: see `Translator`. */
export function translate<K extends Kind>(kind: K, job: Jobs[K]): Translated<K> {
  try {
    return { value: translations[kind](job) };
  } catch (error) {
    if (error instanceof RequestError) return { problem: error.problem };
    throw error;
  }
}

const generation = (
  request: ChatRequest & GenerateRequest,
  call: GenerationCall | null,
  variant: Variant | null = null,
): Generation => ({
  keepAlive: request.keep_alive,
  wanted: wantedBy(request),
  textBytes: Buffer.byteLength(textOf(request as ChatBody)),
  sparable: request.truncate === false ? 0 : sparable(request as ChatBody),
  call: call && {
    ...call,
    body: asJson(variant ? applyVariant({ ...call.body }, variant, call.path) : call.body),
    ignored: call.ignored.slice(0, MOST_IGNORED_NAMES),
  },
});

const embedding = (request: EmbedRequest, bounds: TextBounds): Embedding => ({
  ...embeddingPieces(request, bounds),
  keepAlive: request.keep_alive,
  truncate: request.truncate ?? true,
  dimensions: request.dimensions ?? 0,
});

/** What a template made of a chat; null where a runner has no such thing. */
const promptIn = (json: Uint8Array): string | null => {
  try {
    const reply: unknown = JSON.parse(new TextDecoder().decode(json));
    return typeof reply === 'object' &&
      reply !== null &&
      'prompt' in reply &&
      typeof reply.prompt === 'string'
      ? reply.prompt
      : null;
  } catch {
    return null;
  }
};

const asJson = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const parsed = (json: Uint8Array): unknown => {
  try {
    // The decoder steps over the byte order mark that some editors and shells put before what they send.
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    throw new RequestError(badRequest('the request body is not JSON', 'invalid_json'));
  }
};
