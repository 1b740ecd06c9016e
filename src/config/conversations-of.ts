import { bytesPerToken, whyNotKept } from '../../machines/planning/conversations.ts';
import type { KeptConversations, LaunchOptions } from '../../machines/vocabulary.ts';
import type { ModelFile } from '../models/read-model-file.ts';
import type { Config } from './schema.ts';

/** Whether, and how, a model's conversations are kept while it is not loaded; else why not. */
export type Conversations =
  { readonly kept: KeptConversations } | { readonly kept?: undefined; readonly whyNot: string };

/** `classKey` is equal for all that one process serves, and another one for another file: what one has kept the other can read. */
export function conversationsOf(
  { conversations }: Config,
  { shape }: ModelFile,
  launch: LaunchOptions,
  classKey: string,
): Conversations {
  if (!conversations.keep) return { whyNot: 'conversations.keep is off' };
  const whyNot = whyNotKept(shape, launch);
  return whyNot === null
    ? { kept: { fingerprint: classKey, bytesPerToken: bytesPerToken(shape) } }
    : { whyNot };
}
