import { expect } from 'chai';
import { ConfigError } from '../../src/config/config-error.ts';
import { parseTrace } from '../../src/simulation/parse-trace.ts';
import { scenarioOf } from '../../src/simulation/simulate.ts';
import { settingsOf } from '../../src/simulation/scenario/stage.ts';
import { runTrace, type Trace } from '../../src/simulation/trace.ts';

const HEADER = 't_seconds,model,prompt_tokens,output_tokens';
const model = { name: 'a', size_gb: 16, load_s: 5, parallel: 2, prefill_tps: 1000, decode_tps: 50 };
const about = { gpus_gb: [24], models: [model, { ...model, name: 'big', size_gb: 40.3 }], seed: 7 };

const traceOf = (csv: string, json: unknown = about): Trace =>
  parseTrace({ file: 'day.csv', text: csv }, { file: 'day.json', text: JSON.stringify(json) });

function problemOf(csv: string, json?: unknown): string {
  try {
    traceOf(csv, json);
    return 'no problem';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

describe('a trace of requests', () => {
  it('is read whatever the order of its lines and the ends of them', () => {
    const { requests } = traceOf(`${HEADER}\r\n20.5,a,100,10\r\n3,big,1,0\r\n`);

    expect(requests.map(({ atMs, model: name }) => [atMs, name])).to.deep.equal([
      [3_000, 'big'],
      [20_500, 'a'],
    ]);
  });

  it('is refused with the line and what is wrong in it', () => {
    const problem = problemOf(`${HEADER}\n1,a,1,1\n2,b,1,1\nsoon,a,1,1\n3,a,1\n4,a,1,-1`);

    expect(problem).to.contain("day.csv:3:1: the model 'b' is not among those of the trace");
    expect(problem).to.contain('day.csv:4:1: expected a time and two numbers of tokens, none below zero');
    expect(problem).to.contain('day.csv:5:1: expected four fields, found 3');
    expect(problem).to.contain('day.csv:6:1: expected a time');
    expect(problemOf('time,name\n1,a')).to.contain(`day.csv:1:1: expected the columns ${HEADER}`);
    expect(problemOf(HEADER)).to.contain('day.csv: has no requests in it');
  });

  it('is refused with the key that is wrong in the file of its models', () => {
    expect(problemOf(`${HEADER}\n1,a,1,1`, { ...about, gpus_gb: [] })).to.contain('day.json: gpus_gb: ');
    expect(problemOf(`${HEADER}\n1,a,1,1`, { ...about, models: [{ ...model, load_s: 'x' }] })).to.contain(
      'day.json: models.0.load_s: ',
    );
    expect(() => parseTrace({ file: 'c', text: HEADER }, { file: 'day.json', text: 'no' })).to.throw(
      ConfigError,
      'day.json: is no JSON',
    );
  });

  for (const policy of ['default', 'ollama'] as const)
    it(`serves also what no GPU can hold, offloaded in part, under ${policy}`, () => {
      const trace = traceOf(`${HEADER}\n0,a,10,10\n10,big,10,10\n60,a,10,10`);
      const settings = settingsOf(scenarioOf({ models: {}, timeline: [] }), policy);

      const { served, loads, evictions } = runTrace(trace, { settings, keepAlive: 300_000 });

      expect({ served, loads, evictions }).to.deep.equal({ served: 3, loads: 3, evictions: 2 });
    });
});
