import { expect } from 'chai';
import { parseScenario, simulate } from '../../src/simulation/simulate.ts';
import {
  drawRow,
  drawTimeline,
  heightOf,
  timelineOfSimulation,
  timelineRows,
  type Scale,
  type TimelineData,
} from '../../src/timeline/timeline.ts';

const SCENARIO = `
devices: { CUDA0: 24GiB }
models: { a: { needs: 20GiB }, 'b <script>': { needs: 20GiB } }
timeline:
  - { at: 0s, request: a, as: r1, for: 5s }
  - { at: 1s, request: 'b <script>', as: r2, for: 5s }
`;
const format = { moment: (ms: number) => `@${ms}`, duration: (ms: number) => `${ms} ms` };
const nothing: TimelineData = {
  fromMs: 0,
  toMs: 100_000,
  devices: [],
  runners: [],
  queue: [],
  requests: [],
  decisions: [],
};
const scale: Scale = { fromMs: 0, toMs: 100_000, left: 100, width: 1_100 };

const drawn = (data: TimelineData, at = scale): string =>
  timelineRows(data)
    .map((row) => drawRow(row, at, format))
    .join('');

describe('a timeline', () => {
  const data = timelineOfSimulation(simulate(parseScenario(SCENARIO)));
  const whole: Scale = { ...scale, toMs: data.toMs };

  it('has a row for decisions, queue, requests, each device and each model on it', () => {
    expect(timelineRows(data).map(({ key }) => key)).to.deep.equal([
      'decisions',
      'queue',
      'requests 0',
      'requests 1',
      'memory CUDA0',
      'runners CUDA0 a 0',
      'runners CUDA0 b <script> 0',
    ]);
  });

  it('shows each state of a runner, the wait of each request and each decision with its reason', () => {
    const svg = drawn(data, whole);
    for (const state of ['loading', 'ready', 'unloading', 'vram-recovering'])
      expect(svg).to.contain(`class="tl-state tl-${state}"`);
    expect(svg).to.contain('<title>r2 (b &lt;script&gt;) waited');
    expect(svg.match(/class="tl-decision /g)).to.have.length(data.decisions.length);
    for (const { reason } of data.decisions)
      expect(svg).to.contain(reason.replaceAll(/[<>]/g, (c) => (c === '<' ? '&lt;' : '&gt;')));
  });

  it('takes names for text, whatever they are', () => {
    expect(drawTimeline(timelineRows(data), whole, format)).not.to.contain('<script');
  });

  it('keeps a model in its row while its runners come and go', () => {
    const runner = (id: string, fromMs: number, toMs: number) => ({
      id,
      model: 'a',
      deviceIds: ['CUDA0'],
      spans: [{ state: 'ready', leases: 1, fromMs, toMs }],
    });
    const devices = [{ id: 'CUDA0', totalBytes: 1, limitBytes: 1, samples: [] }];
    const one = timelineRows({ ...nothing, devices, runners: [runner('1', 0, 10), runner('2', 20, 30)] });
    const two = timelineRows({ ...nothing, devices, runners: [runner('1', 0, 25), runner('2', 20, 30)] });

    expect(one.filter(({ key }) => key.startsWith('runners'))).to.have.length(1);
    expect(two.filter(({ key }) => key.startsWith('runners'))).to.have.length(2);
    expect(heightOf(two)).to.equal(heightOf(one) + 18);
  });

  it('draws no more of a busy runner than there are places', () => {
    const spans = Array.from({ length: 50_000 }, (_, i) => ({
      state: i % 2 ? 'ready' : 'idle',
      leases: i % 2,
      fromMs: i * 2,
      toMs: i * 2 + 2,
    }));
    const queue = spans.map(({ fromMs, leases }) => ({ atMs: fromMs, waiting: leases }));
    const devices = [{ id: 'CUDA0', totalBytes: 1, limitBytes: 1, samples: [] }];
    const runners = [{ id: '1', model: 'a', deviceIds: ['CUDA0'], spans }];
    const svg = drawn({ ...nothing, devices, runners, queue });

    expect(svg.match(/<rect/g)?.length).to.be.below(1_000);
  });

  it('draws what holds when the window begins, and nothing that is outside of it', () => {
    const queue = [
      { atMs: 0, waiting: 3 },
      { atMs: 90_000, waiting: 0 },
    ];
    const decisions = [{ atMs: 1_000, kind: 'load', model: 'a', reason: 'r' }];
    const svg = drawn({ ...nothing, queue, decisions }, { ...scale, fromMs: 50_000, toMs: 60_000 });

    expect(svg).to.contain('<title>@0: 3 wait</title>');
    expect(svg).not.to.contain('0 wait</title>');
    expect(svg).not.to.contain('<circle');
  });
});
