import { expect } from 'chai';
import { pictureAfter } from '../../src/client/pictures.ts';
import type { Row } from '../../src/client/client.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { recordingHeader } from '../../src/recording/recording-file.ts';
import { parseScenario, scenarioOf, simulate } from '../../src/simulation/simulate.ts';

const swap = scenarioOf({
  devices: { CUDA0: '24GiB' },
  models: { a: { needs: '16GiB' }, b: { needs: '16GiB' } },
  timeline: [
    { at: '0s', request: 'a', for: '2s' },
    { at: '10s', request: 'b', for: '2s' },
  ],
});

describe('what a run tells', () => {
  it('is nothing unless it is asked for', () => {
    const { events } = simulate(swap);

    expect(events.filter(({ type }) => type === 'told')).to.deep.equal([]);
  });

  it('changes nothing of the run', () => {
    const { events, ...plain } = simulate(swap);
    const told = simulate(swap, { told: true });

    expect({ ...told, events: told.events.filter(({ type }) => type !== 'told') }).to.deep.equal({
      ...plain,
      events,
    });
  });

  it('adds up to the states that the runners went through, by the rules of the WebSocket API', () => {
    const { events, runners } = simulate(swap, { told: true });
    const states = new Map<string, string[]>();
    let rows: readonly Row<'runners'>[] | null = [];
    for (const { type, topic, data } of events) {
      if (type !== 'told' || topic !== 'runners') continue;
      rows = pictureAfter<'runners'>(rows, {
        v: 1,
        seq: 0,
        type: 'change',
        topic: 'runners',
        data: data as never,
      });
      for (const { id, state } of rows ?? []) {
        const seen = states.get(id) ?? [];
        states.set(id, seen);
        if (seen.at(-1) !== state) seen.push(state);
      }
    }
    const expected = runners.map(({ id, spans }) => [
      id,
      spans.map(({ state }) => state).filter((state, i, all) => state !== 'gone' && state !== all[i - 1]),
    ]);

    expect([...states]).to.deep.equal(expected);
    expect(rows?.map(({ model }) => model)).to.deep.equal(['b']);
  });

  it('has what each actor made of each event, and the decisions', () => {
    const told = simulate(swap, { told: true }).events.filter(({ type }) => type === 'told');
    const entries = (topic: string) =>
      told
        .filter((one) => one['topic'] === topic)
        .flatMap(
          ({ data }) =>
            (data as { entries: { to?: string; kind?: string; effect?: { after: string } }[] }).entries,
        );

    expect(entries('events').find(({ to }) => to === 'runner-1')?.effect?.after).to.equal(
      'alive.loading.starting',
    );
    expect(entries('decisions').map(({ kind }) => kind)).to.include.members(['load', 'grant', 'evict']);
  });
});

describe('the scenario of a recording', () => {
  const header = (scenario: unknown): string =>
    `${JSON.stringify({ format: 'corral-recording', version: 1, scenario, charts: [] })}\n{"at":1}\n`;

  it('is read from its first line', () => {
    const { models, timeline } = parseScenario(header({ models: { a: { needs: '1GiB' } }, timeline: [] }));

    expect([Object.keys(models), timeline]).to.deep.equal([['a'], []]);
  });

  it('is missed where there is none', () => {
    expect(() => parseScenario(header(null), 'day.jsonl')).to.throw(ConfigError, /no scenario/);
  });

  it('is checked like any other', () => {
    expect(() => parseScenario(header({ models: {}, timelin: [] }), 'day.jsonl')).to.throw(
      ConfigError,
      /unknown key 'timelin'/,
    );
  });

  it('is not looked for in other files', () => {
    for (const text of ['models: {}', '{ models: {} }', '{"models":{}}', ''])
      expect(recordingHeader(text)).to.equal(null);
  });
});
