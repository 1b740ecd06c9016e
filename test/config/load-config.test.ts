import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig, parseConfig } from '../../src/config/load-config.ts';
import { configJsonSchema } from '../../src/config/schema.ts';
import { problemsOf } from './support/problems-of.ts';

describe('configuration', () => {
  it('is complete when nothing is written', () => {
    const config = parseConfig('');

    expect(config.listen).to.deep.equal({
      host: '127.0.0.1',
      port: 8686,
      allowedHosts: [],
      allowedOrigins: [],
    });
    expect(config.limits.wait).to.equal(600_000);
    expect(config.models).to.deep.equal({});
  });

  it('reads sizes and durations as people write them', () => {
    const config = parseConfig(`
models:
  qwen: { path: q.gguf, memory: 20GiB, keepAlive: 1h30m }
  always: { path: a.gguf, keepAlive: -1 }
devices: { CPU: { memory: 450 MiB } }`);

    expect(config.models['qwen']?.memory).to.equal(20 * 1024 ** 3);
    expect(config.models['qwen']?.keepAlive).to.equal(5_400_000);
    expect(config.models['always']?.keepAlive).to.equal(Infinity);
    expect(config.devices['CPU']?.memory).to.equal(450 * 1024 ** 2);
  });

  for (const { title, text, says } of [
    {
      title: 'an unknown key, with the one that was meant',
      text: 'models:\n  qwen:\n    path: q.gguf\n    contxt: 4096\n',
      says: ["corral.yaml:4:5: models.qwen.contxt: unknown key 'contxt'. Did you mean 'context'?"],
    },
    {
      title: 'a wrong type, with what was expected and found',
      text: 'listen:\n  port: eighty\n',
      says: ['corral.yaml:2:3: listen.port: expected number, found "eighty"'],
    },
    {
      title: 'one port for two purposes',
      text: 'listen:\n  port: 9000\n  ollamaPort: 9000\n',
      says: [
        "corral.yaml:3:3: listen.ollamaPort: expected another port than listen.port, which answers Ollama's clients as well, found 9000",
      ],
    },
    {
      title: 'a size that is none',
      text: 'devices:\n  CUDA0:\n    memory: lots\n',
      says: [
        'corral.yaml:3:5: devices.CUDA0.memory: expected a size such as 450MiB, 20GiB or a number of bytes, found "lots"',
      ],
    },
    {
      title: 'what is missing, at its parent',
      text: 'models:\n  qwen:\n    slots: 2\n',
      says: [
        'corral.yaml:2:3: models.qwen.path: expected the GGUF file, or a command that serves the model, found nothing',
      ],
    },
    {
      title: 'every problem at once',
      text: 'lissten: {}\nlogLevel: loud\n',
      says: [
        `corral.yaml:2:1: logLevel: expected one of "silent"|"error"|"warn"|"info"|"debug", found "loud"`,
        "corral.yaml:1:1: lissten: unknown key 'lissten'. Did you mean 'listen'?",
      ],
    },
    {
      title: 'a name that two models have',
      text: 'models:\n  a: { path: a.gguf }\n  b: { path: b.gguf, aliases: [A] }\n',
      says: ["corral.yaml:3:3: models.b: the name 'A' is taken by 'a' already"],
    },
    {
      title: 'an argument that would let others reach a runner',
      text: 'models:\n  a: { path: a.gguf, args: [-fa, on, --host, 0.0.0.0] }\n',
      says: [
        'corral.yaml:2:38: models.a.args.2: expected no --host: a runner is reached through Corral alone, found "--host"',
      ],
    },
    {
      title: 'origins and hosts that are none',
      text: 'listen:\n  allowedHosts: ["a.example:80", "*.b.example"]\n  allowedOrigins: [https://a.example/path, "*", https://*, "null", app://*]\n',
      says: [
        'corral.yaml:2:18: listen.allowedHosts.0: expected a name such as gpu.example.org or *.example.org, without a port, found "a.example:80"',
        ...(['https://a.example/path', '*', 'https://*', 'null'] as const).map(
          (found, i) =>
            `corral.yaml:3:${[20, 44, 49, 60][i]}: listen.allowedOrigins.${i}: expected an origin such as https://chat.example.org or app://*, without a path, found "${found}"`,
        ),
      ],
    },
  ])
    it(`names ${title}`, () => expect(problemsOf(text)).to.deep.equal(says));

  it('names line and column of a syntax error', () => {
    expect(problemsOf('models:\n  a: [1, 2\n')[0]).to.match(/^corral\.yaml:\d+:\d+: /);
  });

  it('names a file that is not there', () => {
    expect(() => loadConfig('/nowhere/corral.yaml')).to.throw(
      ConfigError,
      /\/nowhere\/corral.yaml: cannot be read/,
    );
  });

  it('lets the environment win', () => {
    const config = parseConfig('listen: { port: 1 }', 'corral.yaml', {
      CORRAL_PORT: '2',
      CORRAL_LOG_LEVEL: 'debug',
    });

    expect(config.listen.port).to.equal(2);
    expect(config.logLevel).to.equal('debug');
  });

  it('has an example that is right, and a schema that is up to date', () => {
    const example = readFileSync(new URL('../../corral.example.yaml', import.meta.url), 'utf8');
    const schema: unknown = JSON.parse(
      readFileSync(new URL('../../corral.schema.json', import.meta.url), 'utf8'),
    );

    expect(problemsOf(example)).to.deep.equal([]);
    expect(schema, 'npm run schema writes it anew').to.deep.equal(
      JSON.parse(JSON.stringify(configJsonSchema())),
    );
  });
});
