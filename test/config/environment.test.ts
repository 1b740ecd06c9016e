import { expect } from 'chai';
import { ConfigError } from '../../src/config/config-error.ts';
import { overridesOf, strangeVariables, variableOf } from '../../src/config/environment.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { settings } from '../../src/config/settings.ts';

const withEnv = (env: NodeJS.ProcessEnv, text = '') => parseConfig(text, 'corral.yaml', env);

describe('environment variables', () => {
  it('set what the file would, in the way the file is written', () => {
    const config = withEnv(
      {
        CORRAL_LISTEN_HOST: '0.0.0.0',
        CORRAL_LISTEN_PORT: '9000',
        CORRAL_LIMITS_LOAD_STALL: '2m',
        CORRAL_LIMITS_BODY: '8MiB',
        CORRAL_POLICY_KEEP_ALIVE: 'soft',
        CORRAL_DEFAULTS_CONTEXT: 'auto',
        CORRAL_DEFAULTS_SPREAD: 'true',
        CORRAL_FOLDERS: '/models, ~/more',
        CORRAL_DEFAULTS_ARGS: '[--cache-type-k, q8_0]',
        CORRAL_DISCOVER_OLLAMA: 'true',
        CORRAL_DISCOVER_LLAMA_CPP: '/cache',
        CORRAL_DEVICES: '{ CUDA0: { memory: 20GiB } }',
      },
      'listen: { port: 1 }\nlimits: { queue: 3 }',
    );

    expect(config.listen).to.include({ host: '0.0.0.0', port: 9_000 });
    expect(config.limits).to.include({ queue: 3, loadStall: 120_000, body: 8 * 1024 ** 2 });
    expect(config.policy.keepAlive).to.equal('soft');
    expect(config.defaults).to.deep.include({
      context: 'auto',
      spread: true,
      args: ['--cache-type-k', 'q8_0'],
    });
    expect(config.folders).to.deep.equal(['/models', '~/more']);
    expect(config.discover).to.include({ ollama: true, llamaCpp: '/cache', huggingFace: false });
    expect(config.devices).to.deep.equal({ CUDA0: { memory: 20 * 1024 ** 3 } });
  });

  it('have short names for host and port, over which the long ones win', () => {
    expect(withEnv({ CORRAL_PORT: '1', CORRAL_HOST: 'localhost' }).listen).to.include({
      port: 1,
      host: 'localhost',
    });
    expect(withEnv({ CORRAL_PORT: '1', CORRAL_LISTEN_PORT: '2' }).listen.port).to.equal(2);
  });

  it('count as not there when they are empty', () => {
    expect(withEnv({ CORRAL_LISTEN_PORT: '' }, 'listen: { port: 5 }').listen.port).to.equal(5);
  });

  for (const [variable, text, says] of [
    ['CORRAL_LISTEN_PORT', 'eighty', 'listen.port: expected number, found "eighty"'],
    ['CORRAL_LIMITS_WAIT', 'soon', 'limits.wait: expected a duration such as'],
    ['CORRAL_LOG_LEVEL', 'loud', 'logLevel: expected one of "silent"'],
    ['CORRAL_DEVICES', '{ CUDA0: { memory: lots } }', 'devices.CUDA0.memory: expected a size such as'],
    [
      'CORRAL_DEVICES',
      '{ CUDA0: { memroy: 1 } }',
      "devices.CUDA0.memroy: unknown key 'memroy'. Did you mean 'memory'?",
    ],
    ['CORRAL_DEVICES', '{ CUDA0', 'devices: expected keys with values, found "{ CUDA0"'],
    ['CORRAL_DEFAULTS_CONTEXT', 'big', 'defaults.context: expected number, or expected "auto", found "big"'],
  ] as const)
    it(`are named when they are wrong: ${variable}=${text}`, () => {
      expect(() => withEnv({ [variable]: text })).to.throw(ConfigError, `${variable}: ${says}`);
    });

  it('are warned of when there is no such setting, with the one that was meant', () => {
    expect(
      strangeVariables({
        CORRAL_LISTN_PORT: '1',
        CORRAL_CONFIG: 'x',
        CORRAL_PORT: '1',
        PATH: '',
        CORRAL_X: '',
      }),
    ).to.deep.equal([
      "the environment's CORRAL_LISTN_PORT is no setting. Did you mean 'CORRAL_LISTEN_PORT'?",
      "the environment's CORRAL_X is no setting.",
    ]);
  });

  it('are warned of when they are for llama-server, which does not get them, once for all', () => {
    const [warning, ...others] = strangeVariables({ LLAMA_ARG_N_PARALLEL: '8', LLAMA_ARG_CTX_SIZE: '1' });

    expect(warning).to.match(/LLAMA_ARG_CTX_SIZE, LLAMA_ARG_N_PARALLEL is kept from llama-server/);
    expect(others).to.deep.equal([]);
  });

  it('are told with the settings that they set', () => {
    expect(overridesOf({ CORRAL_LIMITS_QUEUE: '7' })).to.deep.equal([
      { source: 'CORRAL_LIMITS_QUEUE', path: ['limits', 'queue'], value: 7 },
    ]);
  });

  it('are one for each setting that is not of one model, device or key, and no two are the same', () => {
    const all = settings();
    const names = all.flatMap((setting) => variableOf(setting) ?? []);

    expect(new Set(names).size).to.equal(names.length);
    expect(all.filter((one) => variableOf(one) === null).map(({ path }) => path[0])).to.satisfy(
      (roots: string[]) => roots.every((root) => ['models', 'devices', 'keys', 'anyOf'].includes(root)),
    );
    expect(names).to.include.members([
      'CORRAL_SHUTDOWN_GRACE',
      'CORRAL_DATA_FOLDER',
      'CORRAL_DISCOVER_LLAMA_CPP',
    ]);
  });
});
