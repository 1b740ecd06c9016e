import type { ModelSpec } from '../../../machines/vocabulary.ts';
import type { Exchange } from '../exchange.ts';
import type { LeaseWishes } from '../lease-wishes.ts';
import { leaseFor } from './ask-runner.ts';
import { askerOf, type AskLeased } from './runner-questions.ts';
import type { GenerationParts } from './serve-generation.ts';

/** Of a text that a model was made for, a token has more than this; shorter chats are not looked at. */
const FEWEST_BYTES_PER_TOKEN = 2;
/** What is left for the reply of a chat that is cut: this share of the context. */
const REPLY_SHARE = 1 / 8;
/** What a template adds to a message, where the runner does not say. */
const MARKS_PER_MESSAGE = 8;

interface Wanted {
  readonly spec: ModelSpec;
  readonly body: Uint8Array;
  /** Of all that is said. */
  readonly textBytes: number;
  readonly sparable: number;
  readonly wishes: LeaseWishes;
}

export interface CutChat {
  readonly body: Uint8Array;
  /** How many of its oldest messages are left out. */
  readonly leftOut: number;
}

/**
 * A chat that is too long for its model's context, without as many of its oldest messages as need be: system prompts and the last
 * message stay. One that is too long even so is left for the runner to refuse. The runner counts, and is asked only about long chats.
 */
export async function cutChat(parts: GenerationParts, exchange: Exchange, wanted: Wanted): Promise<CutChat> {
  const { spec, body, textBytes, sparable, wishes } = wanted;
  const { contextTokens } = spec.launch;
  // How long another program's context is may not be known here, nor can it be asked to count.
  if (spec.foreign) return { body, leftOut: 0 };
  if (sparable === 0 || textBytes <= contextTokens * FEWEST_BYTES_PER_TOKEN) return { body, leftOut: 0 };
  const lease = await leaseFor(parts, exchange, spec.name, wishes);
  try {
    const ask = askerOf(parts, exchange, lease);
    const without = (leftOut: number): Promise<Uint8Array> =>
      leftOut === 0
        ? Promise.resolve(body)
        : parts.translator.run('shorten', { json: Uint8Array.from(body), leftOut });
    const fits = async (leftOut: number): Promise<boolean> => {
      const room = leftOut === 0 ? 0 : Math.floor(contextTokens * REPLY_SHARE);
      return (await countOf(parts, ask, await without(leftOut))) < contextTokens - room;
    };
    if (await fits(0)) return { body, leftOut: 0 };
    let [least, most] = [1, sparable];
    while (least < most) {
      const middle = Math.floor((least + most) / 2);
      if (await fits(middle)) most = middle;
      else least = middle + 1;
    }
    return { body: await without(most), leftOut: most };
  } finally {
    lease.release();
  }
}

/** The tokens of a chat as its template writes it, or nearly so. */
async function countOf({ translator }: GenerationParts, ask: AskLeased, body: Uint8Array): Promise<number> {
  const templated = await ask('/apply-template', body);
  const { question, messages, isTemplated } = await translator.run('counting', {
    json: Uint8Array.from(body),
    templated,
  });
  const { count } = await translator.run('tokens', {
    json: await ask('/tokenize', question),
    limitTokens: Infinity,
    marks: [],
  });
  return isTemplated ? count : count + messages * MARKS_PER_MESSAGE;
}
