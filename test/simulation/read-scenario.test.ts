import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ConfigError } from '../../src/config/config-error.ts';
import { parseScenario, scenarioOf } from '../../src/simulation/simulate.ts';
import { scenarioJsonSchema } from '../../src/simulation/scenario/schema.ts';

const problemOf = (text: string): string => {
  try {
    parseScenario(text, 'my.yaml');
    return 'no problem';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
};

const base = `devices: { CUDA0: 24GiB }
models: { A: { needs: 8GiB } }
`;

describe('a scenario file', () => {
  it('reads sizes, times and windows as people write them', () => {
    const scenario = parseScenario(`${base}timeline:
  - { at: 1m30s, request: A, for: 250ms, keepAlive: forever }
expect: { requests: { r1: { granted: 90s..2m, waits: before 10s, ends: after 5s } } }`);

    expect(scenario.devices['CUDA0']?.memory).to.equal(24 * 1024 ** 3);
    expect(scenario.timeline[0]).to.include({ at: 90_000, for: 250, keepAlive: Infinity });
    const wanted = scenario.expect?.requests?.['r1'];
    expect(wanted).to.have.nested.property('granted.toMs', 120_000);
    expect(wanted).to.have.nested.property('waits.toMs', 10_000);
    expect(wanted).to.have.nested.property('ends.fromMs', 5_000);
  });

  it('may be JSON, and may be an object in a test', () => {
    const text = '{"models": {"A": {"needs": "8GiB"}}, "timeline": [{"at": 1, "request": "A"}]}';

    expect(parseScenario(text).timeline[0]?.at).to.equal(1_000);
    expect(scenarioOf({ models: { A: { needs: '8GiB' } }, timeline: [] }).models['A']?.slots).to.equal(1);
  });

  it('is described by its first comment', () => {
    expect(parseScenario(`# What it shows,\n# in two lines.\n${base}timeline: []`).about).to.equal(
      'What it shows, in two lines.',
    );
  });

  for (const { title, text, says } of [
    {
      title: 'an unknown key, with the one that was meant',
      text: `${base}timeline:\n  - { at: 1s, request: A }\nexpekt: {}`,
      says: /^my\.yaml:5:1: expekt: unknown key 'expekt'\. Did you mean 'expect'\?/,
    },
    {
      title: 'an unknown key deep inside',
      text: `${base}timeline: []\nexpect:\n  moments:\n    - { at: 1s, loadd: [A] }`,
      says: /^my\.yaml:6:\d+: expect\.moments\.0\.loadd: .*Did you mean 'loaded'\?/,
    },
    {
      title: 'a time that never comes',
      text: `${base}timeline:\n  - { at: -1, request: A }\nuntil: forever`,
      says: /timeline\.0\.at: expected a time after the start[^]*until: expected a time after the start/,
    },
    {
      title: 'two requests of one name',
      text: `${base}timeline:\n  - { at: 1s, request: A, as: x }\n  - { at: 2s, request: A, as: x }`,
      says: /^my\.yaml:5:\d+: timeline\.1\.as: another request is called 'x' already/,
    },
    {
      title: 'clients that never let time pass, and more than anybody wants',
      text: `${base}timeline:\n  - { at: 1s, request: A, clients: 2, for: 0s }\n  - { at: 1s, request: A, times: 1000000 }`,
      says: /timeline\.0\.for: clients that ask again at once[^]*timeline\.1\.times: /,
    },
    {
      title: 'a fault that is a word alone',
      text: `${base}timeline:\n  - { at: 1s, fault: crash }`,
      says: /^my\.yaml:4:\d+: timeline\.0\.fault: expected keys with values, found "crash"/,
    },
    {
      title: 'a time that is none',
      text: `${base}timeline:\n  - { at: soon, request: A }`,
      says: /^my\.yaml:4:\d+: timeline\.0\.at: expected a time such as 12s.*, found "soon"/,
    },
    {
      title: 'a model that is not there, so that no expectation can come true by mistake',
      text: `${base}timeline: []\nexpect: { never: [{ evicted: B }] }`,
      says: /^my\.yaml:4:\d+: expect\.never\.0\.evicted: unknown model 'B'/,
    },
    {
      title: 'a request that is not there',
      text: `${base}timeline:\n  - { at: 1s, request: A, as: one }\n  - { at: 2s, cancel: two }`,
      says: /^my\.yaml:5:\d+: timeline\.1\.cancel: unknown request 'two'/,
    },
    {
      title: 'a step that does two things',
      text: `${base}timeline:\n  - { at: 1s, request: A, stop: A }`,
      says: /a step is one thing: request or stop/,
    },
    {
      title: 'a step that does nothing',
      text: `${base}timeline:\n  - { at: 1s }`,
      says: /a step needs one of: request, cancel/,
    },
    {
      title: 'a key that belongs to another fault',
      text: `${base}timeline:\n  - { at: 1s, fault: { crash: A, leaks: 1GiB } }`,
      says: /^my\.yaml:4:\d+: timeline\.0\.fault\.leaks: 'leaks' does not go with 'crash'/,
    },
    {
      title: 'text that is no YAML',
      text: 'models: [',
      says: /^my\.yaml:1:\d+: /,
    },
  ])
    it(`is refused for ${title}`, () => {
      expect(problemOf(text)).to.match(says);
    });

  it('has a JSON Schema that is up to date', () => {
    const path = new URL('../../corral-scenario.schema.json', import.meta.url);

    expect(JSON.parse(readFileSync(path, 'utf8'))).to.deep.equal(
      JSON.parse(JSON.stringify(scenarioJsonSchema())),
      'run node --import tsx scripts/write-scenario-schema.ts',
    );
  });
});
