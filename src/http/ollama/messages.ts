import type { Message } from './requests.ts';

/** How the base64 text of an image begins, by what it is. llama-server looks for itself; other servers go by the name. */
const imageTypes: readonly (readonly [string, string])[] = [
  ['iVBOR', 'image/png'],
  ['R0lG', 'image/gif'],
  ['UklG', 'image/webp'],
  ['Qk', 'image/bmp'],
];

const imagePart = (base64: string): object => {
  const type = imageTypes.find(([start]) => base64.startsWith(start))?.[1] ?? 'image/jpeg';
  return { type: 'image_url', image_url: { url: `data:${type};base64,${base64}` } };
};

const contentOf = ({ content, images }: Message): string | object[] => {
  const text = content ?? '';
  if (!images || images.length === 0) return text;
  return [...(text ? [{ type: 'text', text }] : []), ...images.map(imagePart)];
};

/**
 * A conversation in OpenAI's form. The arguments of a tool call become text, and calls and their results, which Ollama
 * matches by name and order, get the ids that OpenAI matches them by.
 */
export const toOpenAiMessages = (messages: readonly Message[]): object[] => {
  const open: { readonly id: string; readonly name: string }[] = [];
  let calls = 0;
  const answeredBy = ({ tool_call_id: id, tool_name: name }: Message): string => {
    const named = open.findIndex((call) => (id ? call.id === id : !name || call.name === name));
    const [call] = open.splice(Math.max(0, named), 1);
    return id ?? call?.id ?? 'call_0';
  };
  return messages.map((message) => {
    const { role, thinking, tool_calls: toolCalls } = message;
    const made = toolCalls?.map(({ id, function: { name, arguments: values } }) => {
      const call = { id: id ?? `call_${calls++}`, name };
      open.push(call);
      return { id: call.id, type: 'function', function: { name, arguments: JSON.stringify(values ?? {}) } };
    });
    return {
      role,
      content: contentOf(message),
      ...(thinking && { reasoning_content: thinking }),
      ...(made && made.length > 0 && { tool_calls: made }),
      ...(role === 'tool' && { tool_call_id: answeredBy(message) }),
    };
  });
};
