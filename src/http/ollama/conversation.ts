/** What is said in a conversation, by whom; `system` first, if anybody has said how to behave. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** Of all that is said, in UTF-16 units: making numbers of more would keep others waiting, and few models read as much. */
const MOST_TEXT = 512 * 1024;

/** Whether a reply is to have a `context`, by which the conversation can go on. */
export const isContinuable = (turns: readonly Turn[]): boolean =>
  turns.reduce((sum, { content }) => sum + content.length, 0) <= MOST_TEXT;

/** Before what follows is read as a conversation: no model has so many tokens. */
const MARK = 0x636f_7272;
/** As many as the smallest whole numbers of clients hold, which have 32 bits and a sign. */
const BYTES_PER_NUMBER = 3;

/**
 * A conversation as the numbers of `/api/generate`'s `context`, which clients hand back as they got them. Ollama's are tokens; these are
 * the text itself, since a template is applied to a whole conversation and not to the end of one.
 */
export function toContext(turns: readonly Turn[]): readonly number[] {
  const bytes = Buffer.from(JSON.stringify(turns));
  const padded = Buffer.concat([
    bytes,
    Buffer.alloc(BYTES_PER_NUMBER - 1 - ((bytes.length + 2) % BYTES_PER_NUMBER), ' '),
  ]);
  return [
    MARK,
    ...Array.from({ length: padded.length / BYTES_PER_NUMBER }, (_, at) =>
      padded.readUIntLE(at * BYTES_PER_NUMBER, BYTES_PER_NUMBER),
    ),
  ];
}

/** The conversation in a `context`; null in one that is none of Corral's. */
export function fromContext(context: readonly number[]): readonly Turn[] | null {
  if (context[0] !== MARK) return null;
  const bytes = Buffer.alloc((context.length - 1) * BYTES_PER_NUMBER);
  try {
    context
      .slice(1)
      .forEach((number, at) => bytes.writeUIntLE(number, at * BYTES_PER_NUMBER, BYTES_PER_NUMBER));
    const turns: unknown = JSON.parse(bytes.toString('utf8'));
    return Array.isArray(turns) && turns.every(isTurn) ? turns : null;
  } catch {
    return null;
  }
}

const ROLES: readonly unknown[] = ['system', 'user', 'assistant'] satisfies Turn['role'][];

const isTurn = (value: unknown): value is Turn =>
  typeof value === 'object' &&
  value !== null &&
  'role' in value &&
  'content' in value &&
  ROLES.includes(value.role) &&
  typeof value.content === 'string';

/** A conversation that goes on: who says anew how to behave takes the place of who did before. */
export function continued(
  before: readonly Turn[],
  {
    system,
    prompt,
  }: { readonly system?: string | null | undefined; readonly prompt?: string | null | undefined },
): readonly Turn[] {
  const said = system ? before.filter(({ role }) => role !== 'system') : before;
  return [
    ...(system ? [{ role: 'system', content: system } as const] : []),
    ...said,
    { role: 'user', content: prompt ?? '' },
  ];
}
