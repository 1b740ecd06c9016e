/** One event of a stream; `comments` are the lines before it that begin with a colon. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
  readonly comments: readonly string[];
}

/** Reads a stream of server-sent events as it comes. Browsers have a reader for GET alone. */
export async function* serverSentEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<ServerSentEvent> {
  let rest = '';
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    for (const block of blocks) yield eventOf(block);
  }
}

function eventOf(block: string): ServerSentEvent {
  const lines = block.split(/\r?\n/);
  const after = (prefix: string): string[] =>
    lines
      .filter((line) => line.startsWith(prefix))
      .map((line) => line.slice(prefix.length).replace(/^ /, ''));
  return {
    event: after('event:').at(-1) ?? 'message',
    data: after('data:').join('\n'),
    comments: after(':'),
  };
}
