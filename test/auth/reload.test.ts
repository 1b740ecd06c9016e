import { expect } from 'chai';
import { pino } from 'pino';
import { request } from 'undici';
import { stringify } from 'yaml';
import { scopes } from '../../src/auth/scopes.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { startCorral, type Corral } from '../support/corral.ts';
import { keysOf } from '../support/guard.ts';

describe('the keys of a running Corral', function () {
  this.timeout(60_000);

  it('are replaced when its configuration is read again, and who did that is noted', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const having = (key: string) => ({ keys: keysOf({ me: { key, scopes: [...scopes] } }) });
    const { keys } = parseConfig(stringify(having('new')));
    const corral: Corral = await startCorral('embedded', having('old'), {
      log,
      read: () => ({ ...corral.reloader.config, keys }),
    });
    const send = async (path: string, key: string, method: 'GET' | 'POST' = 'GET') => {
      const { statusCode, body } = await request(corral.url + path, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(method === 'POST' && { body: '{}' }),
      });
      return { status: statusCode, text: await body.text() };
    };

    expect((await send('/v1/models', 'new')).status).to.equal(401);
    const reload = await send('/api/v1/config/reload', 'old', 'POST');
    expect(reload.status).to.equal(200);
    expect(reload.text).to.contain('keys.me').and.to.not.contain('sha256');
    expect((await send('/v1/models', 'old')).status).to.equal(401);
    expect((await send('/v1/models', 'new')).status).to.equal(200);
    expect(lines.find(({ event }) => event === 'command.ended')).to.include({
      path: '/api/v1/config/reload',
      status: 200,
      caller: 'me',
    });
    await corral.close();
  });
});
