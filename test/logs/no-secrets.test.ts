import { expect } from 'chai';
import { pino } from 'pino';
import { request } from 'undici';
import { hashOf } from '../../src/auth/key.ts';
import { startCorral, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const PROMPT = 'MARKED-PROMPT-7f3a';
const KEY = 'corral_MARKED-KEY-91c2-that-is-known';
const WRONG_KEY = 'corral_MARKED-KEY-55d0-that-is-not';

const message = { role: 'user', content: PROMPT };
const calls = [
  ['/v1/chat/completions', { messages: [message] }],
  ['/v1/chat/completions', { messages: [message], stream: true }],
  ['/v1/completions', { prompt: PROMPT }],
  ['/v1/embeddings', { input: PROMPT }],
  ['/v1/rerank', { query: PROMPT, documents: [PROMPT] }],
  ['/v1/responses', { input: PROMPT }],
  ['/v1/messages', { messages: [message], max_tokens: 2 }],
  ['/v1/messages/count_tokens', { messages: [message] }],
  ['/api/chat', { messages: [message], stream: false }],
  ['/api/generate', { prompt: PROMPT }],
  ['/api/embed', { input: PROMPT }],
  ['/completion', { prompt: PROMPT }],
  ['/tokenize', { content: PROMPT }],
  ['/apply-template', { messages: [message] }],
  ['/upstream/tiny/completion', { prompt: PROMPT }],
  [`/v1/completions?secret=${PROMPT}`, { prompt: PROMPT }],
  ['/api/v1/models/tiny/load', { unknown: PROMPT }],
] as const;

describe("the service's log", function () {
  this.timeout(120_000);
  let models: TestModels;
  let corral: Corral;
  const lines: string[] = [];
  before(async () => {
    models = await writeModels(['tiny']);
    const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) });
    const known = { hash: hashOf(KEY), scopes: ['inference', 'read', 'manage'] };
    corral = await startCorral('embedded', { keys: { known }, models: models.config(['tiny']) }, { log });
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  const send = async (path: string, body: string, key: string, header: string): Promise<number> => {
    const value = header === 'authorization' ? `Bearer ${key}` : key;
    const answer = await request(corral.url + path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', [header]: value },
    });
    await answer.body.dump();
    return answer.statusCode;
  };

  it('holds no prompt and no key, whichever API is spoken, and whether it goes well or not', async () => {
    const statuses: number[] = [];
    for (const [path, body] of calls) {
      const text = JSON.stringify({ model: 'tiny', max_tokens: 2, ...body });
      statuses.push(await send(path, text, KEY, 'authorization'));
      await send(path, text, KEY, 'x-api-key');
      await send(path, text, WRONG_KEY, 'authorization');
      await send(path, `{"model": "tiny", "prompt": "${PROMPT}`, KEY, 'authorization');
      await send(path, text.replace('"tiny"', '"nobody"'), KEY, 'authorization');
    }

    expect(statuses).to.include(200);
    expect(lines.filter((line) => line.includes('request.ended'))).to.have.length.above(10);
    expect(lines.filter((line) => line.includes('MARKED'))).to.deep.equal([]);
  });
});
