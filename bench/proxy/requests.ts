/** How a stream of the fake runner runs. */
export interface StreamPace {
  readonly chunks: number;
  readonly everyMs: number;
}

interface ChatOptions {
  readonly model?: string;
  /** A stream is wanted, at this pace. */
  readonly pace?: StreamPace;
}

/** The bytes of one request for a chat, about as small as chats are. */
export function chatRequest({ model = 'bench', pace }: ChatOptions = {}): string {
  const body = JSON.stringify({
    model,
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: 'Say something short about rivers, please.' },
    ],
    temperature: 0.7,
    stream: pace !== undefined,
    ...(pace && { bench: pace }),
  });
  return [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    'Authorization: Bearer none',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
