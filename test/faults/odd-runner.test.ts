import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { SmallDesk } from '../http/support/small-desk.ts';
import { Servers, type StartedCorral } from '../http/support/started.ts';
import { until } from '../support/corral.ts';
import { RawRunner, type Saying } from './support/raw-runner.ts';

const json = '{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}';
const event = 'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n';
const plainHead = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const eventsHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n';
const whole = `${plainHead}Content-Length: ${json.length}\r\n\r\n${json}`;
const stream = `${eventsHead}Connection: close\r\n\r\n${event}data: [DONE]\n\n`;
const inChunks = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

const says =
  (text: string): Saying =>
  (socket) =>
    void socket.write(text, 'latin1');
const saysAndCloses =
  (text: string): Saying =>
  (socket) =>
    void socket.end(text, 'latin1');
/** Says one thing for ever, as fast as it is read. */
const keepsSaying =
  (text: string, first = ''): Saying =>
  (socket) => {
    socket.write(first);
    const go = (): void => {
      if (socket.destroyed) return;
      if (socket.write(text)) setImmediate(go);
      else socket.once('drain', go);
    };
    go();
  };

interface Dialect {
  readonly name: string;
  readonly path: string;
  readonly body: object;
  readonly isStream: boolean;
  /** The message of an error, out of a reply's or of the last of a stream's. */
  readonly errorIn: (text: string) => unknown;
  /** Whether it gives its client a reply as it comes, so that what is lost of it cannot be asked for again. */
  readonly isDirect: boolean;
}

const messages = [{ role: 'user', content: 'hi' }];
const openaiError = (text: string): unknown => JSON.parse(text).error.message;
const lastEvent = (text: string): string => text.trimEnd().split('data: ').at(-1) ?? '';
const dialects: readonly Dialect[] = [
  {
    name: 'OpenAI',
    path: '/v1/chat/completions',
    body: { messages },
    isStream: false,
    errorIn: openaiError,
    isDirect: true,
  },
  {
    name: 'OpenAI, streamed',
    path: '/v1/chat/completions',
    body: { messages, stream: true },
    isStream: true,
    errorIn: (text) => openaiError(lastEvent(text)),
    isDirect: true,
  },
  {
    name: 'Anthropic',
    path: '/v1/messages',
    body: { messages },
    isStream: false,
    errorIn: (text) => {
      const { type, error } = JSON.parse(text);
      return type === 'error' && error.message;
    },
    isDirect: true,
  },
  {
    name: 'llama-server',
    path: '/completion',
    body: { prompt: 'hi' },
    isStream: false,
    errorIn: openaiError,
    isDirect: true,
  },
  {
    name: 'Ollama',
    path: '/api/chat',
    body: { messages, stream: false },
    isStream: false,
    errorIn: (text) => JSON.parse(text).error,
    isDirect: false,
  },
  {
    name: 'Ollama, streamed',
    path: '/api/chat',
    body: { messages },
    isStream: true,
    errorIn: (text) => JSON.parse(text.trimEnd().split('\n').at(-1) ?? '').error,
    isDirect: true,
  },
];

/** What came of a request. */
interface Outcome {
  readonly status: number;
  readonly text: string;
  /** The connection ended in the midst of the reply. */
  readonly isCut: boolean;
}

/** Sends a request over a connection of its own; rejects when that ends without any reply. */
const ask = ({ port }: StartedCorral, { path, body }: Dialect, signal?: AbortSignal): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const sent = JSON.stringify({ model: 'tiny', ...body });
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      agent: false,
      ...(signal && { signal }),
    };
    const request = httpRequest(options, (reply: IncomingMessage) => {
      let text = '';
      const end = (): void => resolve({ status: reply.statusCode ?? 0, text, isCut: !reply.complete });
      reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      reply.on('end', end).on('error', end);
    });
    request.on('error', reject).end(sent);
  });

describe('a runner that speaks HTTP in a wrong way', () => {
  const servers = new Servers();
  let runner: RawRunner;
  let desk: SmallDesk;
  let corral: StartedCorral;
  beforeEach(async () => {
    runner = await RawRunner.start(says(whole));
    desk = new SmallDesk(runner.baseUrl);
    corral = await servers.corral(desk);
  });
  afterEach(() => {
    servers.stopAll();
    runner.stop();
  });

  /** Each slot is free again, and whoever comes next is served. */
  const goesOn = async (dialect: Dialect): Promise<void> => {
    await until('the slot is free', () => desk.unsettled === 0);
    runner.say = dialect.isStream ? saysAndCloses(stream) : says(whole);
    runner.isHasty = false;
    const next = await ask(corral, dialect);
    expect([next.status, next.isCut], `${next.text} of the next request`).to.deep.equal([200, false]);
    expect(next.text).to.contain('hi');
    await until('the slot is free again', () => desk.unsettled === 0);
  };

  describe('a reply that does not begin as one', () => {
    const heads: readonly (readonly [title: string, say: Saying, reason: RegExp])[] = [
      ['a status line that is none', saysAndCloses('HTTP/1.1 fine\r\n\r\n'), /no reply in HTTP/],
      ['something else altogether', saysAndCloses('220 smtp.example.org ESMTP\r\n'), /no reply in HTTP/],
      [
        'a status of 999',
        saysAndCloses('HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n'),
        /its status is 999/,
      ],
      ['a status of 099', saysAndCloses('HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n'), /no reply in HTTP/],
      [
        'a header with control characters',
        says(`${plainHead}X-Odd: a\u0001b\r\nContent-Length: 0\r\n\r\n`),
        /no reply in HTTP/,
      ],
      [
        'a header whose name has a space',
        says(`${plainHead}X Odd: a\r\nContent-Length: 0\r\n\r\n`),
        /no reply in HTTP/,
      ],
      [
        'a status line with an escape sequence',
        says('HTTP/1.1 200 \u001b[31mOK\r\nContent-Length: 2\r\n\r\n{}'),
        /no reply in HTTP/,
      ],
      [
        'headers of 100 KB',
        says(`${plainHead}X-Odd: ${'x'.repeat(100_000)}\r\n\r\n`),
        /headers are too large/,
      ],
      [
        'two lengths',
        says(`${plainHead}Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}`),
        /no reply in HTTP/,
      ],
      ['a length that is no number', says(`${plainHead}Content-Length: many\r\n\r\n{}`), /no reply in HTTP/],
      [
        'a length and chunks',
        says(`${plainHead}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
        /no reply in HTTP/,
      ],
      [
        'another protocol',
        says('HTTP/1.1 101 Switching Protocols\r\nUpgrade: odd\r\nConnection: upgrade\r\n\r\n'),
        /a protocol that nobody asked for/,
      ],
      ['100 Continue', says('HTTP/1.1 100 Continue\r\n\r\n'), /no reply in HTTP/],
      [
        'early hints without an end',
        keepsSaying('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'),
        /goes on announcing/,
      ],
      ['half a head, and ends', saysAndCloses('HTTP/1.1 200 OK\r\nContent-'), /closed the connection/],
      ['nothing, and ends', (socket) => void socket.end(), /closed the connection/],
      ['nothing, and resets', (socket) => void socket.resetAndDestroy(), /closed the connection/],
    ];
    for (const [title, say, reason] of heads)
      it(`is told as a 502 in the words of each API, after a second try: ${title}`, async () => {
        for (const dialect of dialects) {
          const before = runner.requests;
          runner.say = say;

          const { status, text, isCut } = await ask(corral, dialect);

          expect([status, isCut], `${dialect.name}: ${text}`).to.deep.equal([502, false]);
          expect(errorOf(dialect, text), dialect.name).to.match(reason);
          expect(runner.requests - before, dialect.name).to.equal(2);
          await goesOn(dialect);
        }
      });
  });

  describe('a reply that breaks off', () => {
    const half = json.slice(0, 20);
    const breaks: readonly (readonly [title: string, plain: Saying, streamed: Saying])[] = [
      [
        'it ends before its length',
        saysAndCloses(`${plainHead}Content-Length: 500\r\n\r\n${half}`),
        saysAndCloses(`${eventsHead}Content-Length: 500\r\n\r\n${event}data: {"cho`),
      ],
      [
        'it is reset',
        (socket) =>
          void socket.write(`${plainHead}Content-Length: 500\r\n\r\n${half}`, () => socket.resetAndDestroy()),
        (socket) =>
          void socket.write(`${eventsHead}Content-Length: 500\r\n\r\n${event}`, () =>
            socket.resetAndDestroy(),
          ),
      ],
      [
        'a chunk has no size',
        says(`${plainHead}Transfer-Encoding: chunked\r\n\r\n${inChunks(half)}odd\r\n`),
        says(`${eventsHead}Transfer-Encoding: chunked\r\n\r\n${inChunks(event)}odd\r\n`),
      ],
      [
        'its last chunk is lacking',
        saysAndCloses(`${plainHead}Transfer-Encoding: chunked\r\n\r\n${inChunks(half)}`),
        saysAndCloses(`${eventsHead}Transfer-Encoding: chunked\r\n\r\n${inChunks(event)}`),
      ],
    ];
    for (const [title, plain, streamed] of breaks)
      it(`can be told from a whole one by its client, and is asked for again where nothing was given: ${title}`, async () => {
        for (const dialect of dialects) {
          runner.say = dialect.isStream || !dialect.isDirect ? streamed : plain;

          const { status, text, isCut } = await ask(corral, dialect).catch((error: unknown) => {
            // Not even a head had been sent.
            expect(error).to.have.property('code', 'ECONNRESET');
            return { status: 200, text: '', isCut: true };
          });

          if (!dialect.isDirect) expect([status, isCut], dialect.name).to.deep.equal([502, false]);
          else expect([status, isCut], dialect.name).to.deep.equal([200, !dialect.isStream]);
          if (dialect.isStream || !dialect.isDirect)
            expect(dialect.errorIn(text), dialect.name).to.be.a('string');
          expect(text).to.not.contain('[DONE]');
          await goesOn(dialect);
        }
      });
  });

  describe('a reply that does not end', () => {
    const endless: readonly (readonly [title: string, say: Saying])[] = [
      ['it never begins', () => {}],
      ['its body stands still', says(`${eventsHead}Transfer-Encoding: chunked\r\n\r\n${inChunks(event)}`)],
      [
        'its events go on for ever',
        keepsSaying(inChunks(event), `${eventsHead}Transfer-Encoding: chunked\r\n\r\n`),
      ],
      ['its head stands still', says('HTTP/1.1 200 OK\r\nContent-Type: text/')],
    ];
    for (const [title, say] of endless)
      it(`lasts as long as its client waits, and no longer: ${title}`, async () => {
        for (const dialect of dialects) {
          runner.say = say;
          const before = runner.requests;
          const patience = new AbortController();
          const asked = ask(corral, dialect, patience.signal).catch((error: unknown) => error);
          await until('the runner has the request', () => runner.requests > before);

          patience.abort();

          await asked;
          await until('the runner is left alone', () => runner.latest?.closed === true);
          await goesOn(dialect);
        }
      });
  });

  describe('a reply that is odd and can be read', () => {
    const invalid = `{"choices":[{"message":{"content":"hi \xff\xfe"},"finish_reason":"stop"}]}`;
    const odd: readonly (readonly [title: string, say: Saying])[] = [
      ['what follows it', says(`${whole}and more`)],
      ['a second one', says(whole + whole)],
      ['bytes that are no UTF-8', says(`${plainHead}Content-Length: ${invalid.length}\r\n\r\n${invalid}`)],
      ['another type of content', says(whole.replace('application/json', 'image/png'))],
      ['no type of content', says(`HTTP/1.1 200 OK\r\nContent-Length: ${json.length}\r\n\r\n${json}`)],
    ];
    for (const [title, say] of odd)
      it(`is passed on, and spoils nothing for the next: ${title}`, async () => {
        for (const dialect of dialects.filter(({ isStream }) => !isStream)) {
          runner.say = say;

          const { status, text, isCut } = await ask(corral, dialect);

          expect([status, isCut], `${dialect.name}: ${text}`).to.deep.equal([200, false]);
          expect(text, dialect.name).to.contain('hi');
          await goesOn(dialect);
        }
      });

    it('is passed on as far as its head says: a length that is too short, a 204 with a body', async () => {
      const [openai = never()] = dialects;
      runner.say = says(`${plainHead}Content-Length: 5\r\n\r\n${json}`);
      expect(await ask(corral, openai)).to.deep.equal({ status: 200, text: json.slice(0, 5), isCut: false });
      await goesOn(openai);

      runner.say = says(`HTTP/1.1 204 No Content\r\n\r\n${json}`);
      expect(await ask(corral, openai)).to.deep.equal({ status: 204, text: '', isCut: false });
      await goesOn(openai);
    });

    it('is told as a 502 where it has to be understood and cannot be', async () => {
      const ollama = dialects.filter(({ path }) => path === '/api/chat');
      for (const dialect of ollama)
        for (const text of ['<html>hi</html>', '{"cho', '', '5', 'null']) {
          runner.say = says(`${plainHead}Content-Length: ${text.length}\r\n\r\n${text}`);
          const reply = await ask(corral, dialect);
          expect([reply.status, JSON.parse(reply.text)], text).to.deep.equal([
            502,
            { error: `The runner answered 200: ${text}` },
          ]);
          await goesOn(dialect);
        }
    });

    it('is passed on although its request was not read to the end', async () => {
      for (const dialect of dialects) {
        runner.isHasty = true;
        runner.say = saysAndCloses(dialect.isStream || !dialect.isDirect ? stream : whole);
        const long = { ...dialect, body: { ...dialect.body, padding: 'x'.repeat(2_000_000) } };

        const { status, text } = await ask(corral, long);

        expect([200, 502], `${dialect.name}: ${text}`).to.include(status);
        await goesOn(dialect);
      }
    });
  });
});

/** Before a stream has begun its errors are those of any other reply. */
const errorOf = ({ name, errorIn }: Dialect, text: string): unknown =>
  name.startsWith('Ollama') ? errorIn(text) : name === 'Anthropic' ? errorIn(text) : openaiError(text);

const never = (): never => {
  throw new Error('there is one');
};
