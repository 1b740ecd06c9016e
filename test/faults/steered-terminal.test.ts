import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import * as pty from 'node-pty';
import { stringify } from 'yaml';
import { printable, printableJson } from '../../src/terminal/printable.ts';
import { placeIn, runCorral, InTerminal } from '../cli/support/run-cli.ts';
import { chat, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { groundFor } from './support/serving.ts';

const fake = fileURLToPath(new URL('../fixtures/fake-llama-server.mjs', import.meta.url));

/** Both sets of controls, and what turns the direction of writing; line ends and tabs are what terminals are for. */
// oxlint-disable-next-line no-control-regex -- it is control characters that are looked for
const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
/** What commands and log write to a terminal themselves: colours, and one line in place of another. */
// oxlint-disable-next-line no-control-regex -- it is escape sequences that are taken out
const OWN = /\r|\u001b\[(?:2K|\d{1,2}m)/g;

describe('text that would steer a terminal', function () {
  this.timeout(180_000);
  let models: TestModels;
  let corral: Corral;
  let file: string;
  before(async () => {
    models = await writeModels(['tiny', 'other']);
    file = models.path('\u001b]0;mine\u0007\u202eother');
    await rename(models.path('other'), file);
    const args = ['--fake', 'steers-terminals'];
    corral = await startCorral('llama-server', {
      llamaServer: fake,
      models: { ...models.config(['tiny'], { tiny: { args } }), other: { path: file, args } },
    });
    const missing = '/nowhere/\u001b[31m\u009b2J.gguf';
    await writeFile(
      join(corral.folder, 'corral.yaml'),
      stringify({
        listen: { port: Number(new URL(corral.url).port) },
        folders: [models.folder],
        models: { tiny: { path: models.path('tiny') }, missing: { path: missing } },
      }),
    );
    await corral.post('/v1/chat/completions', chat('tiny'));
    await corral.post('/v1/chat/completions', chat('other'));
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  const commands = [
    ['logs', 'tiny'],
    ['logs', 'tiny', '-f'],
    ['logs', 'tiny', '--json'],
    ['explain', 'tiny'],
    ['explain', 'other', '--json'],
    ['explain', 'no\u001b[31m'],
    ['models'],
    ['models', '--json'],
    ['check'],
    ['check', '--json'],
    ['ps'],
    ['top'],
    ['load', 'tiny'],
    ['record'],
    ['simulate', '/no/\u009b31m.yaml'],
    ['\u001b[31m'],
  ];

  it('does not leave a command, whatever runners, files and users put into it', async () => {
    const outputs: Record<string, string> = {};
    for (const given of commands) {
      const { out, err } = await runCorral(placeIn(corral.folder, corral.url), ...given);
      outputs[JSON.stringify(given)] = out + err;
    }

    for (const [given, text] of Object.entries(outputs)) expect(text, given).to.not.match(STEERS);
    expect(outputs['["logs","tiny"]']).to.contain('hidden');
    expect(outputs['["explain","tiny"]']).to.contain('E error: ');
    expect(outputs['["check"]']).to.contain('/nowhere/');
  });

  it('leaves a command on a terminal as text, beside what the command itself does there', async () => {
    for (const given of [
      ['logs', 'tiny'],
      ['load', 'tiny'],
    ]) {
      const shown = new InTerminal(placeIn(corral.folder, corral.url), { cols: 300, rows: 24 }, ...given);
      await shown.exit;
      expect(shown.text.replaceAll(OWN, ''), given[0]).to.not.match(STEERS);
      expect(shown.text, given[0]).to.contain('rror');
    }
  });

  for (const logFormat of ['pretty', 'json'])
    it(`is text in the service's log on a terminal (${logFormat})`, async () => {
      const ground = await groundFor({
        models: { a: { path: 'a.gguf', args: ['--fake', 'steers-terminals'] } },
        logFormat,
      });
      const { file: program, args } = ground.command;
      const terminal = pty.spawn(program, args, { env: ground.env, cols: 2_000 });
      try {
        let text = '';
        terminal.onData((data) => (text += data));
        await ground.served();
        await ground.ask('a\u001b[31m\u009b2J\u202eb\nforged line');
        await ground.ask();
        await until('both are told', () => text.includes('forged') && text.includes('E error'));

        expect(text.replaceAll(OWN, '')).to.not.match(STEERS);
        if (logFormat === 'pretty') expect(text).to.contain('\u001b[');
        else
          expect(
            text
              .split('\r\n')
              .filter((line) => line.startsWith('{'))
              .map((line) => JSON.parse(line)),
          ).to.have.length.above(3);
        expect(text).to.not.match(/^forged line/m);
      } finally {
        terminal.kill('SIGKILL');
        await ground.remove();
      }
    });

  it('is told by its characters: an allow list', () => {
    for (const [text, shown] of [
      ['plain, äöü 漢字 … 👩‍🚀 \t and\nlines\r\n', 'plain, äöü 漢字 … 👩‍🚀 \t and\nlines\n'],
      ['\u001b[31mred\u001b[0m', 'red'],
      ['\u001b]0;title\u0007text', 'text'],
      ['\u009b31mred', 'red'],
      ['a\bb\rc', 'a\ufffdb\ufffdc'],
      ['\u202eabc\u2066\u200e', '\ufffdabc\ufffd\ufffd'],
      ['\ud800 \u{e0041} \ue000', '\ufffd \ufffd \ufffd'],
    ] as const)
      expect(printable(text)).to.equal(shown);
    const value = { text: 'a\u001b\u009b\u202e\u{e0041}ä' };
    const json = printableJson(JSON.stringify(value));
    expect(json).to.not.match(STEERS);
    expect(JSON.parse(json)).to.deep.equal(value);
  });
});
