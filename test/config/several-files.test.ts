import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { followConfiguration } from '../../src/reload/follow-configuration.ts';
import { until } from '../support/corral.ts';
import { problemsOf } from './support/problems-of.ts';

describe('a configuration of several files', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'corral-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const messageOf = (paths: readonly string[]): string => {
    try {
      loadConfig(paths, {});
      return '';
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.message.replaceAll(folder, '');
    }
  };

  it('is read in order: maps become one, of all else the later one counts', () => {
    const base = write(
      'base.yaml',
      'limits: { queue: 5, runners: 2 }\nfolders: [a, b]\nmodels:\n  m: { path: m.gguf, slots: 2, aliases: [x] }\n',
    );
    const own = write(
      'own.yaml',
      'limits: { runners: 1 }\nfolders: [c]\nmodels:\n  m: { slots: 4 }\n  n: { path: n.gguf }\n',
    );

    const { config, path, files } = loadConfig([base, own], {});

    expect(config.limits).to.include({ queue: 5, runners: 1 });
    expect(config.folders).to.deep.equal(['c']);
    expect(config.models['m']).to.deep.include({ path: 'm.gguf', slots: 4, aliases: ['x'] });
    expect(Object.keys(config.models)).to.deep.equal(['m', 'n']);
    expect([path, files]).to.deep.equal([base, [base, own]]);
  });

  it('is what is in a folder, by name, and nothing hidden', () => {
    mkdirSync(join(folder, 'conf.d'));
    write('conf.d/20-b.yaml', 'limits: { queue: 20 }\n');
    write('conf.d/10-a.yml', 'limits: { queue: 10, runners: 3 }\n');
    write('conf.d/.hidden.yaml', 'nonsense: true\n');
    write('conf.d/notes.txt', 'not: yaml\n');

    const { config } = loadConfig([join(folder, 'conf.d')], {});

    expect(config.limits).to.include({ queue: 20, runners: 3 });
    mkdirSync(join(folder, 'empty'));
    expect(messageOf([join(folder, 'empty')])).to.equal('/empty: there is no *.yaml in this folder');
  });

  it('names mistakes with their file and their line there', () => {
    const base = write('base.yaml', 'models:\n  m:\n    path: m.gguf\n    slots: many\n');
    const own = write('own.yaml', '# ours\nmodels:\n  m: { contxt: 5 }\n');

    expect(messageOf([base, own])).to.equal(
      [
        '/base.yaml:4:5: models.m.slots: expected number, found "many"',
        '    slots: many',
        "/own.yaml:3:8: models.m.contxt: unknown key 'contxt'. Did you mean 'context'?",
        '    m: { contxt: 5 }',
      ].join('\n'),
    );
    write('own.yaml', 'models: [\n');
    expect(messageOf([base, own])).to.match(/^\/own\.yaml:\d+:\d+: /);
    write('own.yaml', '');
    expect(messageOf([base, own])).to.include('/own.yaml:1:1: nothing is written in it');
  });

  it('is followed: a file that changes, and one that comes', async function () {
    this.timeout(15_000);
    const conf = join(folder, 'conf.d');
    mkdirSync(conf);
    write('conf.d/a.yaml', 'limits: { queue: 1 }\n');
    let reloads = 0;
    const reloader = {
      config: loadConfig([conf], {}).config,
      reload: () => Promise.resolve(void (reloads += 1)),
    };
    const path = join(conf, 'a.yaml');
    const end = followConfiguration([conf], path, reloader as never, '');

    write('conf.d/a.yaml', 'limits: { queue: 22 }\n');
    await until('the change is seen', () => reloads === 1);
    write('conf.d/b.yaml', 'limits: { queue: 3 }\n');
    await until('the new file is seen', () => reloads === 2);
    end();
  });
});

describe('what a configuration takes from the environment', () => {
  const env = { MODELS: '/srv/models', PORT: '9000', SECRET: 'hunter2', FLAG: 'true' };
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'corral-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const load = (text: string) => {
    const path = join(folder, 'corral.yaml');
    writeFileSync(path, text);
    return loadConfig(path, env).config;
  };
  const messageOf = (text: string): string => {
    try {
      load(text);
      return '';
    } catch (error) {
      return (error as Error).message.replaceAll(`${folder}/`, '');
    }
  };

  it('is what is asked for, and nothing else', () => {
    const config = load(
      'listen:\n  port: !env ${PORT}\n' +
        'watch: !env ${FLAG}\n' +
        'models:\n  a: { path: !env "${MODELS}/a.gguf" }\n  b: { path: "${MODELS}/b.gguf" }\n' +
        '  c: { path: !env "${ELSEWHERE:-/opt}/c.gguf" }\n',
    );

    expect(config.listen.port).to.equal(9000);
    expect(config.watch).to.equal(true);
    const pathOf = (name: string) => config.models[name]?.path;
    expect(['a', 'b', 'c'].map(pathOf)).to.deep.equal([
      '/srv/models/a.gguf',
      '${MODELS}/b.gguf',
      '/opt/c.gguf',
    ]);
  });

  it('is named where it is not there, with its line, and is never told itself', () => {
    expect(messageOf('models:\n  a: { path: !env "${MISSING}/a.gguf" }\n')).to.equal(
      'corral.yaml:2:19: models.a.path: the environment has no MISSING; ${MISSING:-…} says what it is then\n' +
        '    a: { path: !env "${MISSING}/a.gguf" }',
    );
    const wrong = messageOf('limits:\n  queue: !env ${SECRET}\n');
    expect(wrong).to.include('corral.yaml:2:3: limits.queue: expected number').and.to.not.include('hunter2');
  });

  it('is asked for by one tag; others mean nothing', () => {
    expect(messageOf('watch: !Env ${FLAG}\n')).to.include(
      "corral.yaml:1:13: watch: the tag !Env means nothing here. Did you mean '!env'?",
    );
    expect(messageOf('models: !env\n  a: { path: x }\n')).to.include('!env stands before a text');
    expect(problemsOf('watch: !env ${FLAG}\n').join()).to.include('the environment has no FLAG');
  });
});
