import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as pty from 'node-pty';
import { stringify } from 'yaml';
import { completionScripts } from '../../src/cli/completion-scripts.ts';
import { startCorral, until } from '../support/corral.ts';
import { writeModels } from '../support/models.ts';
import { corralCommand, placeIn, runCorral, type Place } from './support/run-cli.ts';

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

describe('shell completion', function () {
  this.timeout(120_000);
  let folder: string;
  let place: Place;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corral-completion-'));
    place = placeIn(folder);
    const models = {
      'qwen-32b': { path: 'q.gguf', aliases: ['default'] },
      'hf:user/model': { path: 'h.gguf' },
    };
    await writeFile(join(folder, 'corral.yaml'), stringify({ listen: { port: 1 }, models }));
    const { file, args } = corralCommand();
    await writeFile(
      join(folder, 'rc.bash'),
      `PS1='> '\ncorral() { ${quoted([file, ...args])} "$@"; }\n${completionScripts.bash}`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What a real bash makes of a line when TAB is typed after it. */
  const typedInBash = async (line: string, isDone: (text: string) => boolean): Promise<string> => {
    const bash = pty.spawn('bash', ['--noprofile', '--rcfile', join(folder, 'rc.bash'), '-i'], {
      cols: 200,
      rows: 24,
      cwd: place.cwd,
      env: place.env,
    });
    let text = '';
    bash.onData((data) => (text += data));
    try {
      await until('it is ready', () => text.includes('> '));
      text = '';
      bash.write(`${line}\t`);
      await until(`${line} is completed`, () => isDone(text), 30_000);
      return text;
    } finally {
      bash.kill('SIGKILL');
    }
  };

  it('completes commands, options, and models that the configuration names', async () => {
    const [command, option, model, colon] = await Promise.all([
      typedInBash('corral expl', (text) => text.includes('explain ')),
      typedInBash('corral logs --fol', (text) => text.includes('--follow ')),
      typedInBash('corral load qw', (text) => text.includes('qwen-32b ')),
      typedInBash('corral unload hf:us', (text) => text.includes('hf:user/model ')),
    ]);

    expect([command, option, model, colon].map((text) => text.split('corral ').at(-1)?.trim())).to.deep.equal(
      ['explain', 'logs --follow', 'load qwen-32b', 'unload hf:user/model'],
    );
  });

  it('runs nothing of what stands in the line', async () => {
    const mark = join(folder, 'ran');

    await typedInBash(
      `corral load $(touch ${mark}) qw`,
      (text) => text.includes('\u0007') || text.includes('qwen'),
    ).catch(() => '');

    expect(await readFile(mark, 'utf8').catch(() => 'was not run')).to.equal('was not run');
  });

  it('knows the models and runners of a running Corral', async () => {
    const models = await writeModels(['tiny']);
    const corral = await startCorral('embedded', {
      models: models.config(['tiny'], { tiny: { aliases: ['small'], preload: true } }),
    });
    const here = placeIn(corral.folder, corral.url);
    await until('it is loaded', () => corral.status().runners.length === 1);

    const [model, runner] = await Promise.all([
      runCorral(here, 'complete', '--', 'explain', ''),
      runCorral(here, 'complete', '--', 'stop', 'ru'),
    ]);
    await corral.close();
    await models.remove();

    expect(model.out).to.equal('tiny\t\nsmall\t\n:4\n');
    expect(runner.out).to.equal('runner-1\t\n:4\n');
  });

  it('has a script for each shell, that the shell can read', async () => {
    for (const [shell, script] of Object.entries(completionScripts)) {
      const path = join(folder, `completion.${shell}`);
      await writeFile(path, script);
      const said = await new Promise<string>((resolve) =>
        execFile(shell, ['-n', path], (error, _out, err) => resolve(error?.code === 'ENOENT' ? '' : err)),
      );
      expect(said, shell).to.equal('');
    }
    expect((await runCorral(place, 'completion', 'fish')).out).to.equal(completionScripts.fish);
    expect((await runCorral(place, 'completion', 'tcsh')).err).to.match(
      /Allowed choices are bash, zsh, fish/,
    );
  });
});
