import { expect } from 'chai';
import fc from 'fast-check';
import { ConfigError } from '../../src/config/config-error.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { problemsOf } from './support/problems-of.ts';

describe('a configuration that nobody would write', () => {
  for (const { title, text, says } of [
    {
      title: "a name that is JavaScript's own",
      text: 'models:\n  a: { path: a.gguf }\n  __proto__: { path: b.gguf }\n',
      says: ["corral.yaml:3:3: models.__proto__: '__proto__' cannot be a name: JavaScript has it for itself"],
    },
    {
      title: 'a name that stands there twice',
      text: 'models:\n  a: { path: a.gguf }\n  a: { path: b.gguf }\n',
      says: ["corral.yaml:3:3: models.a: 'a' stands here twice"],
    },
    {
      title: 'a list as a key',
      text: 'devices:\n  ? [CUDA0]\n  : { memory: 1GiB }\n',
      says: ['corral.yaml:2:5: devices.: a key has to be text, not a list or a map'],
    },
    {
      title: 'a second document',
      text: 'models: {}\n---\nkeys: {}\n',
      says: ['corral.yaml:2:1: a second document (---) begins here'],
    },
    {
      title: 'maps in maps in maps',
      text: Array.from({ length: 60 }, (_, i) => `${' '.repeat(i)}x-a:\n`).join(''),
      says: ['corral.yaml:51:51: its lists and maps stand in each other more than 50 deep'],
    },
  ])
    it(`is refused where it is wrong: ${title}`, () => expect(problemsOf(text)).to.deep.equal(says));

  for (const { title, text, says } of [
    { title: 'a million brackets', text: '}'.repeat(1_000_000), says: /more than 100000 words and signs/ },
    { title: 'brackets', text: `x-a: ${'['.repeat(50_000)}`, says: /stand in each other more than 50 deep/ },
    { title: 'commas', text: ','.repeat(1_000_000), says: /Plain value cannot start with/ },
    { title: 'a word of a megabyte', text: `logLevel: ${'x'.repeat(1_000_000)}`, says: /expected one of/ },
    {
      title: 'thousands of mistakes',
      text: `models:\n${Array.from({ length: 4_000 }, (_, i) => `  m${i}: { path: 7, slotz: 1 }`).join('\n')}`,
      says: /models\.m0\.path: expected string, found 7/,
    },
  ])
    it(`is refused at once, in few words: ${title}`, () => {
      const beganMs = performance.now();

      expect(() => parseConfig(text))
        .to.throw(ConfigError, says)
        .with.property('message')
        .that.satisfies((message: string) => message.length < 10_000);
      expect(performance.now() - beganMs).to.be.lessThan(10_000);
    });

  it('is read as such, or refused with a place, whatever its text is', () => {
    const words = [
      'models:|a:|path:|  |\n|- |{|}|[|]|,|: |<<:|&a |*a|? |"',
      "'|#|!!|%|---\n|x-b: |keys:|__proto__: |constructor: |.inf|1e999|>",
    ];
    const word = fc.constantFrom(...words.join('|').split('|'));
    const text = fc.oneof(
      fc.array(word, { maxLength: 40 }).map((some) => some.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (one) => {
        try {
          parseConfig(one);
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('may call a model after anything else that JavaScript has', () => {
    const { models } = parseConfig(
      'models:\n  constructor: { path: c.gguf }\n  toString: { path: t.gguf }\n',
    );

    expect(Object.keys(models)).to.deep.equal(['constructor', 'toString']);
  });
});
