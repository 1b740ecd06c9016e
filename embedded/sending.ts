import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

export function sendJson(response: ServerResponse, status: number, value: object): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Prometheus' text format. */
export function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, {
    'content-type': 'text/plain; version=0.0.4',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

export interface Events {
  /** Resolves once the client can take more. */
  send(event: object): Promise<void> | void;
  /** With the mark that OpenAI's clients wait for, or without. */
  end(withDone: boolean): void;
}

/** Begins a stream of server-sent events. */
export function startEvents(response: ServerResponse): Events {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  return {
    send: (event) => {
      if (response.destroyed || response.write(`data: ${JSON.stringify(event)}\n\n`)) return undefined;
      return Promise.race([once(response, 'drain'), once(response, 'close')]).then(() => undefined);
    },
    end: (withDone) => void response.end(withDone ? 'data: [DONE]\n\n' : ''),
  };
}
