import { expect } from 'chai';
import { stringify } from 'yaml';
import { isLoopback } from '../../src/auth/host-names.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { knownKeys, schemaAt, settings } from '../../src/config/settings.ts';
import { problemsOf } from './support/problems-of.ts';

/** A configuration with one value at a path; a model has its file. */
const having = (path: readonly string[], value: unknown): object => {
  const [key = '', ...rest] = path;
  if (rest.length === 0) return { [key]: value };
  const inner = having(rest, value);
  const isModel = key === 'NAME' && knownKeys(['models', 'NAME']).includes(rest[0] ?? '');
  return { [key]: isModel ? { path: 'a.gguf', ...inner } : inner };
};

/** What a variant puts into bodies is for the model's server to judge. */
const isPassedOn = (path: readonly string[]): boolean => path.includes('variants');

describe('a value that makes no sense', () => {
  for (const [text, says] of [
    ['limits: { queue: -1 }', /limits\.queue: too small: expected number to be >=0, found -1/],
    ['limits: { queue: 1e12 }', /limits\.queue: too big: .*, found 1000000000000/],
    ['limits: { queue: .nan }', /limits\.queue: expected number, found NaN/],
    ['limits: { queue: .inf }', /limits\.queue: .*found Infinity/],
    ['limits: { wait: -5s }', /limits\.wait: expected a duration such as .*found "-5s"/],
    ['limits: { wait: 99999999999h }', /limits\.wait: expected a duration from 0 to 3650d, or forever/],
    ['limits: { loadStall: 0 }', /limits\.loadStall: expected a duration from 1s to 3650d/],
    ['limits: { body: 0 }', /limits\.body: expected a size from 1 to 2GiB, found 0/],
    ['limits: { body: 99999TiB }', /limits\.body: expected a size from 1 to 2GiB/],
    ['limits: { body: -1 }', /limits\.body: expected a size such as/],
    ['devices: { CPU: { memory: 20constructor } }', /devices\.CPU\.memory: expected a size such as/],
    ['devices: { "": { memory: 1 } }', /devices\.: expected a name .*found ""/],
    ['models: { a: { path: a, slots: 1e9 } }', /models\.a\.slots: too big: expected number to be <=256/],
    ['models: { a: { path: a, context: 0 } }', /models\.a\.context: too small/],
    ['models: { a: { path: "" } }', /models\.a\.path: expected a path, found ""/],
    ['models: { a: { path: "a\\0b" } }', /models\.a\.path: expected a path/],
    ['models: { a: { path: a, args: ["\\0"] } }', /models\.a\.args\.0: expected an argument/],
    ['models: { a: { path: a, aliases: [__proto__] } }', /models\.a\.aliases\.0: expected a name/],
    ['models: { "a\\nb": { path: a } }', /models\.a\nb: expected a name/],
    ['dataFolder: ""', /dataFolder: expected a path, found ""/],
    ['folders: [" "]', /folders\.0: expected a path, found " "/],
    ['discover: { ollama: "" }', /discover\.ollama: .*expected a path.*found ""/],
    ['listen: { host: "" }', /listen\.host: expected an address .*found ""/],
    ['listen: { host: "127.0.0.1:8080" }', /listen\.host: expected an address .*without a port/],
    ['listen: { host: "http://localhost" }', /listen\.host: expected an address/],
    ['listen: { host: 256.1.1.1 }', /listen\.host: expected an address/],
    ['listen: { host: [::1] }', /listen\.host: expected an address .*in quotes if it has brackets/],
    ['listen: { host: "[::1" }', /listen\.host: expected an address/],
  ] as const)
    it(`is refused by its key and line: ${text}`, () => {
      const message = `\n${text}`;

      expect(() => parseConfig(message))
        .to.throw(ConfigError, says)
        .with.property('message')
        .that.contains('corral.yaml:2:');
    });

  it('is refused whatever setting it is of: a number below nothing, or beyond all counting', () => {
    const numbers = settings().filter(
      ({ kind, path }) =>
        !isPassedOn(path) && (kind === 'number' || kind === 'size' || schemaAt(path)?.safeParse(1).success),
    );
    const taken = numbers.flatMap(({ path, kind }) =>
      [-7, 1e18, NaN, Infinity].flatMap((value) => {
        // A negative keep-alive is Ollama's way to say forever.
        if (value === -7 && path.at(-1)?.startsWith('keepAlive')) return [];
        const named = path.map((part) => (part === '*' ? 'NAME' : part));
        return problemsOf(stringify(having(named, value))).length > 0
          ? []
          : [`${named.join('.')} (${kind}): ${value}`];
      }),
    );

    expect(numbers.length).to.be.greaterThan(30);
    expect(taken).to.deep.equal([]);
  });

  for (const [variable, text, says] of [
    ['CORRAL_LISTEN_PORT', '&a [*a]', 'listen.port: expected number, found "&a [*a]"'],
    ['CORRAL_DEVICES', '&a { CPU: *a }', 'devices: expected keys with values, found "&a { CPU: *a }"'],
    ['CORRAL_DEVICES', '{ __proto__: { memory: 1 } }', 'devices: expected keys with values'],
    ['CORRAL_LIMITS_QUEUE', '-1', 'limits.queue: too small'],
    ['CORRAL_DATA_FOLDER', ' ', 'dataFolder: expected a path'],
  ] as const)
    it(`is refused by its variable: ${variable}=${text}`, () => {
      expect(() => parseConfig('', 'corral.yaml', { [variable]: text })).to.throw(
        ConfigError,
        `${variable}: ${says}`,
      );
    });
});

describe('the address to listen at', () => {
  for (const [written, host, loopback] of [
    ['"[::1]"', '::1', true],
    ['::1', '::1', true],
    ['"0:0:0:0:0:0:0:1"', '0:0:0:0:0:0:0:1', true],
    ['"::ffff:127.0.0.1"', '::ffff:127.0.0.1', true],
    ['127.0.0.2', '127.0.0.2', true],
    ['localhost', 'localhost', true],
    ['"::"', '::', false],
    ['0.0.0.0', '0.0.0.0', false],
    ['"fe80::1%eth0"', 'fe80::1%eth0', false],
    ['gpu-1.example.org', 'gpu-1.example.org', false],
    ['127.example.org', '127.example.org', false],
  ] as const)
    it(`may be ${written}, which ${loopback ? 'nobody else' : 'others'} can reach`, () => {
      expect(parseConfig(`listen:\n  host: ${written}\n`).listen.host).to.equal(host);
      expect(isLoopback(host)).to.equal(loopback);
    });
});
