import { badRequest } from './api-error.ts';
import type { ChatMessage } from './engine.ts';

/** The conversation of a chat request. Only text can be shown to these models. */
export function chatMessagesOf(messages: unknown): readonly ChatMessage[] {
  if (messages === undefined) throw badRequest("'messages' is required");
  if (!Array.isArray(messages)) throw badRequest("'messages' must be an array");
  return messages.map((message: unknown) => {
    if (
      typeof message !== 'object' ||
      message === null ||
      !('role' in message) ||
      typeof message.role !== 'string'
    )
      throw badRequest("each message needs a 'role'");
    return { role: message.role, content: textOf('content' in message ? message.content : null) };
  });
}

function textOf(content: unknown): string {
  if (content === null || content === undefined) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw badRequest("'content' must be a string or a list of parts");
  return content
    .map((part: unknown) => {
      if (typeof part !== 'object' || part === null || !('type' in part))
        throw badRequest('a content part needs a type');
      if (part.type === 'text' && 'text' in part) return String(part.text);
      throw badRequest(
        `content parts of type '${String(part.type)}' are not supported by the embedded runner; use llama-server`,
      );
    })
    .join('\n');
}
