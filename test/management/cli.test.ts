import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { Command } from 'commander';
import { explainCommand } from '../../src/cli/explain.ts';
import { loadCommand } from '../../src/cli/load.ts';
import { logsCommand } from '../../src/cli/logs.ts';
import { pinCommand, unpinCommand } from '../../src/cli/pin.ts';
import { Outlet } from '../../src/terminal/print.ts';
import { ProgressLine } from '../../src/cli/progress-line.ts';
import { stopCommand } from '../../src/cli/stop.ts';
import { unloadCommand } from '../../src/cli/unload.ts';
import { startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

const commands = [
  loadCommand,
  unloadCommand,
  stopCommand,
  pinCommand,
  unpinCommand,
  explainCommand,
  logsCommand,
];

describe('the commands that manage a running Corral', function () {
  this.timeout(120_000);
  let models: TestModels;
  let corral: Corral;
  before(async () => {
    models = await writeModels(['tiny']);
    await writeFile(models.path('torn'), 'GGUF, but not for long');
    corral = await startCorral('embedded', { models: models.config(['tiny', 'torn']) });
    await writeFile(join(corral.folder, 'corral.yaml'), `listen: { port: ${new URL(corral.url).port} }\n`);
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  const run = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const { CORRAL_CONFIG: _config, CORRAL_PORT: _port, ...env } = process.env;
      execFile(
        process.execPath,
        ['--import', tsx, main, ...args],
        { cwd: corral.folder, env },
        (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
      );
    });

  it('load, explain, show logs, pin, stop and unload', async () => {
    const loaded = await run('load', 'tiny');
    expect([loaded.code, loaded.err]).to.deep.equal([0, '']);
    expect(loaded.out).to.match(/tiny is ready on runner-1\n$/);
    expect(loaded.out).to.not.contain('\u001B');

    const [explained, log, json] = await Promise.all([
      run('explain', 'tiny'),
      run('logs', 'tiny', '-n', '1'),
      run('logs', 'runner-1', '--json'),
    ]);
    expect(explained.out).to.match(/^tiny is idle: .*\nnext: it is unloaded in \d+ s/);
    expect(explained.out).to.match(/runner-1\s+idle\s+/);
    expect(explained.out).to.match(/Z\s+load\s+runner-1\s+fits on CPU/);
    expect(log.out).to.match(/^.*listening on .*\n$/);
    expect(JSON.parse(json.out)).to.have.property('runnerId', 'runner-1');

    expect((await run('pin', 'tiny')).out).to.equal('tiny is pinned\n');
    expect(corral.status().runners[0]?.pinned).to.equal(true);
    expect((await run('unpin', 'tiny', '--keep-alive', '1h')).out).to.equal(
      'tiny stays 60 min after its last request\n',
    );

    expect((await run('stop', 'runner-1')).out).to.equal('runner-1 (tiny): unloading\n');
    await until('it has gone', () => corral.status().runners.length === 0);
    expect((await run('logs', 'tiny', '-f')).out).to.match(/listening on /);

    const again = JSON.parse((await run('load', 'tiny', '--json')).out) as { runners: string[] };
    expect(again.runners).to.deep.equal(['runner-2']);
    const unloaded = JSON.parse((await run('unload', 'tiny', '--force', '--json')).out) as { state: string };
    expect(unloaded.state).to.equal('unloading');
  });

  it('say what Corral says when it says no, and fail', async () => {
    const [torn, unknown, runner, idle] = await Promise.all([
      run('load', 'torn'),
      run('explain', 'tinny'),
      run('stop', 'runner-99', '--json'),
      run('unload', 'torn'),
    ]);

    expect([torn.code, unknown.code, runner.code, idle.code]).to.deep.equal([1, 1, 1, 1]);
    expect(torn.err).to.match(/torn\.gguf is not a usable model/);
    expect(unknown.err).to.match(/^model 'tinny' not found\. Did you mean 'tiny'\?/);
    expect(runner.err).to.match(/^There is no runner 'runner-99'/);
    expect(idle.err).to.equal('torn is not loaded, and nobody waits for it.\n');
  });

  it('are there, and help', async () => {
    const { out } = await run('--help');

    for (const command of commands.map((make) => make())) {
      expect(out).to.contain(`  ${command.name()} `);
      expect(out).to.contain(command.description().slice(0, 30));
      expect(command.helpInformation()).to.contain('--json');
    }
  });

  it('say what to do when no Corral answers', async () => {
    const config = join(corral.folder, 'other.yaml');
    await writeFile(config, 'listen: { port: 1 }\n');
    const failures = commands.map((make) => {
      const program = new Command('corral').option('--config <file>').addCommand(make());
      return program
        .parseAsync(['--config', config, make().name(), 'x'], { from: 'user' })
        .then(() => 'none', String);
    });

    for (const failure of await Promise.all(failures))
      expect(failure).to.match(/^Error: No Corral answers at http:\/\/127\.0\.0\.1:1 .*corral serve/);
  });
});

describe('a progress line', () => {
  const shown = (isTTY: boolean): { line: ProgressLine; text: () => string } => {
    const written: string[] = [];
    const line = new ProgressLine(new Outlet(() => ({ isTTY, write: (text) => written.push(text) })));
    return { line, text: () => written.join('') };
  };

  it('changes in place on a terminal, and is gone at the end', () => {
    const { line, text } = shown(true);

    line.show('it loads', 0.5);
    line.end('it is ready');
    line.show('late', null);
    line.clear();

    expect(text()).to.equal('\r\u001B[2K[############------------]  50 % it loads\r\u001B[2Kit is ready\n');
  });

  it('is a line for each thing that is new elsewhere', () => {
    const { line, text } = shown(false);

    line.show('it waits', null);
    line.show('it waits', null);
    line.show('it loads', 0.1);
    line.show('it loads', 0.9);
    line.end('it is ready');

    expect(text()).to.equal('it waits\nit loads\nit is ready\n');
  });
});
