/** A chat as a runner is asked for it, and what of it can be spared. */
export interface ChatBody {
  readonly messages?: readonly unknown[];
}

interface Told {
  readonly role?: unknown;
  readonly content?: unknown;
}

const asTold = (message: unknown): Told => (typeof message === 'object' && message !== null ? message : {});

/** Says how to behave, and stays. */
const isRule = (message: unknown): boolean => ['system', 'developer'].includes(String(asTold(message).role));
const isResult = (message: unknown): boolean => asTold(message).role === 'tool';

/** How many messages can be left out: all that are no rules, but for the last. */
export const sparable = ({ messages = [] }: ChatBody): number =>
  Math.max(0, messages.filter((message) => !isRule(message)).length - 1);

/** Without its oldest `count` messages; a tool's result is nothing without the call before it, and goes as well. */
export function shortened(messages: readonly unknown[], count: number): readonly unknown[] {
  const spoken = messages.filter((message) => !isRule(message));
  let left = count;
  while (left < spoken.length - 1 && left > 0 && isResult(spoken[left])) left += 1;
  const gone = new Set(spoken.slice(0, left));
  return messages.filter((message) => !gone.has(message));
}

/** All that is said, as one text: what a template adds is not in it. */
export const textOf = ({ messages = [] }: ChatBody): string =>
  messages.map((message) => contentOf(asTold(message))).join('\n');

const contentOf = ({ content }: Told): string => {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) =>
      typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string'
        ? part.text
        : '',
    )
    .join('\n');
};
