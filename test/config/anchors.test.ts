import { expect } from 'chai';
import { parseConfig } from '../../src/config/load-config.ts';
import { problemsOf } from './support/problems-of.ts';

describe('anchors in a configuration', () => {
  it('stand for what they mark, as a whole and merged into more', () => {
    const { models } = parseConfig(`
x-large: &large { context: 32768, slots: 1, keepAlive: 1h }
x-args: &args [--cache-type-k, q8_0]
models:
  a: { <<: *large, path: a.gguf, args: *args }
  b: { <<: [*large], path: b.gguf, slots: 2 }`);

    expect(models['a']).to.include({ context: 32_768, slots: 1, keepAlive: 3_600_000 });
    expect(models['a']?.args).to.deep.equal(['--cache-type-k', 'q8_0']);
    expect(models['b']).to.include({ context: 32_768, slots: 2 });
  });

  it('may stand at a model, too, and may be used by hundreds', () => {
    const many = Array.from({ length: 300 }, (_, i) => `  m${i}: { <<: *first, path: m${i}.gguf }`);
    const { models } = parseConfig(`models:\n  a: &first { path: a.gguf, slots: 7 }\n${many.join('\n')}`);

    expect(Object.values(models).every(({ slots }) => slots === 7)).to.equal(true);
    expect(Object.keys(models)).to.have.length(301);
  });

  for (const { title, text, says } of [
    {
      title: 'an alias without an anchor, with the one that was meant',
      text: 'x-large: &large { slots: 1 }\nmodels:\n  a: { <<: *lagre, path: a.gguf }\n',
      says: ["corral.yaml:3:12: no anchor &lagre comes before this alias. Did you mean 'large'?"],
    },
    {
      title: 'an anchor that comes too late',
      text: 'models:\n  a: *late\nx-late: &late { path: a.gguf }\n',
      says: ['corral.yaml:2:6: no anchor &late comes before this alias.'],
    },
    {
      title: 'an alias within its own anchor',
      text: 'x-loop: &loop\n  - *loop\n',
      says: ['corral.yaml:2:5: *loop stands within &loop itself'],
    },
    {
      title: 'a merge of what is no map',
      text: 'x-slots: &slots 3\nmodels:\n  a: { path: a.gguf, <<: *slots }\n',
      says: ['corral.yaml:3:22: << takes a map, an alias of one, or a list of those'],
    },
    {
      title: 'a wrong value where it is merged from',
      text: 'x-large: &large\n  slots: many\nmodels:\n  a: { <<: *large, path: a.gguf }\n',
      says: ['corral.yaml:2:3: models.a.slots: expected number, found "many"'],
    },
    {
      title: 'an unknown key where it is merged from',
      text: 'x-large: &large\n  slotz: 2\nmodels:\n  a: { <<: *large, path: a.gguf }\n',
      says: ["corral.yaml:2:3: models.a.slotz: unknown key 'slotz'. Did you mean 'slots'?"],
    },
    {
      title: 'an item of a list, where it stands',
      text: 'folders:\n  - ~/models\n  - 7\n',
      says: ['corral.yaml:3:5: folders.1: expected string, found 7'],
    },
  ])
    it(`names ${title}`, () => expect(problemsOf(text)).to.deep.equal(says));

  it('are looked up without a search for each', () => {
    const many = Array.from({ length: 1_900 }, (_, i) => `  m${i}: { <<: *first, path: m${i}.gguf }`);
    const beganMs = performance.now();

    expect(problemsOf(`models:\n  a: &first { path: a.gguf }\n${many.join('\n')}`)).to.deep.equal([]);
    // A search for each takes a minute.
    expect(performance.now() - beganMs).to.be.lessThan(15_000);
  });

  it('are bounded in number', () => {
    const many = Array.from({ length: 9_000 }, () => '    <<: *first\n').join('');

    expect(problemsOf(`x-first: &first { slots: 1 }\nmodels:\n  a:\n${many}`)).to.deep.equal([
      'corral.yaml:2004:9: models.a.<<: it has more than 2000 aliases',
    ]);
  });

  it('do not multiply without bound', () => {
    const ten = (name: string): string => `[${Array.from({ length: 10 }, () => name).join(', ')}]`;
    const levels = Array.from({ length: 9 }, (_, i) => `x-${i + 1}: &l${i + 1} ${ten(`*l${i}`)}`);

    expect(problemsOf(`x-0: &l0 ${ten('1')}\n${levels.join('\n')}\n`)[0]).to.match(
      /^corral\.yaml:\d+:\d+: x-\d: its aliases multiply/,
    );
  });
});
