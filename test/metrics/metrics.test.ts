import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { LightSignal } from '../../src/signal.ts';
import { chat, runtimes, startCorral, until, type Corral } from '../support/corral.ts';
import { writeModels, type TestModels } from '../support/models.ts';
import { samplesOf, valueOf } from './support/samples.ts';

/** What a table of docs/metrics.md says: name, type and labels. */
type Documented = ReadonlyMap<string, { readonly type: string; readonly labels: readonly string[] }>;

const codes = (text: string): string[] => [...text.matchAll(/`(\w+)`/g)].map(([, code = '']) => code);

async function documented(): Promise<{ own: Documented; process: readonly string[] }> {
  const text = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const own = rows.filter(([, name]) => name?.startsWith('`corral_'));
  const others = rows.filter(([, name]) => /^`(process|nodejs)_/.test(name ?? ''));
  return {
    own: new Map(
      own.map(([, name = '', type = '', labels = '']) => [
        codes(name)[0] ?? '',
        { type, labels: codes(labels) },
      ]),
    ),
    process: others.flatMap(([, names = '']) => codes(names)),
  };
}

describe('GET /metrics', function () {
  this.timeout(60_000);
  let models: TestModels;
  let corral: Corral;
  let text: string;
  const scrape = async (): Promise<string> => (await fetch(`${corral.url}/metrics`)).text();
  before(async () => {
    models = await writeModels(['tiny']);
    corral = await startCorral('embedded', {
      models: models.config(['tiny'], { tiny: { aliases: ['small'] } }),
    });
    await corral.post('/v1/chat/completions', chat('tiny'));
    await corral.post('/api/chat', chat('small', { stream: false }));
    for (let n = 0; n < 20; n++) await corral.post('/v1/chat/completions', chat(`made-up-${n}`));
    await corral.post('/v1/chat/completions', { messages: [] });
    text = await scrape();
  });
  after(async () => {
    await corral.close();
    await models.remove();
  });

  it('has the type of content that Prometheus asks for', async () => {
    const { headers } = await fetch(`${corral.url}/metrics`);

    expect(headers.get('content-type')).to.equal('text/plain; version=0.0.4; charset=utf-8');
  });

  it('counts requests by model, API, status and outcome', () => {
    const count = (labels: Record<string, string>): number => valueOf(text, 'corral_requests_total', labels);

    expect(count({ model: 'tiny', api: 'openai', status: '2xx', outcome: 'ok' })).to.equal(1);
    expect(count({ model: 'tiny', api: 'ollama', status: '2xx', outcome: 'ok' })).to.equal(1);
    expect(count({ model: '(none)', api: 'openai', status: '4xx', outcome: 'refused' })).to.equal(21);
    expect(valueOf(text, 'corral_request_seconds_count', { model: 'tiny' })).to.equal(2);
    expect(valueOf(text, 'corral_first_byte_seconds_count', { model: 'tiny' })).to.equal(2);
    expect(valueOf(text, 'corral_wait_seconds_count', { model: 'tiny' })).to.equal(2);
  });

  it('makes no series of what clients make up', () => {
    const names = new Set(samplesOf(text).map(({ labels }) => labels['model']));

    expect([...names].filter((name) => name !== undefined)).to.have.members(['tiny', '(none)']);
  });

  it('shows the memory of runners, and of Corral itself', () => {
    expect(valueOf(text, 'process_resident_memory_bytes')).to.be.greaterThan(10e6);
    if (process.platform === 'linux')
      expect(
        valueOf(text, 'corral_runner_resident_bytes', { model: 'tiny', replica: '1' }),
      ).to.be.greaterThan(10e6);
  });

  it('has just what docs/metrics.md names', async () => {
    const { own, process } = await documented();
    const types = new Map(
      [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]),
    );
    const named = (test: (name: string) => boolean): string[] => [...types.keys()].filter(test);

    expect([...own.keys()]).to.have.members(named((name) => name.startsWith('corral_')));
    expect(process).to.include.members(named((name) => !name.startsWith('corral_')));
    for (const [name, { type }] of own) expect([name, type]).to.deep.equal([name, types.get(name)]);
    for (const { name, labels } of samplesOf(text)) {
      const known = own.get(name) ?? own.get(name.replace(/_(bucket|sum|count)$/, ''));
      const { le: _, ...rest } = labels;
      if (known) expect(known.labels, name).to.have.members(Object.keys(rest));
    }
  });

  it('has all that the dashboard asks for', async () => {
    const url = new URL('../../docs/grafana-dashboard.json', import.meta.url);
    const dashboard = JSON.parse(await readFile(url, 'utf8')) as {
      panels: { title: string; targets: { expr: string }[] }[];
    };
    const { own, process } = await documented();
    const known = new Set([
      ...process,
      ...[...own].flatMap(([name, { type }]) => (type === 'histogram' ? [`${name}_bucket`] : [name])),
    ]);

    for (const { title, targets } of dashboard.panels)
      for (const { expr } of targets) {
        const asked = [...expr.matchAll(/\b(corral|process|nodejs)_\w+/g)].map(([name]) => name);
        expect(asked, title).to.have.length.greaterThan(0);
        for (const name of asked) expect(known.has(name), `${title}: ${name}`).to.equal(true);
      }
  });
});

for (const runtime of runtimes)
  describe(`tokens of ${runtime} runners`, function () {
    this.timeout(60_000);
    let models: TestModels;
    let corral: Corral;
    before(async () => {
      models = await writeModels(['tiny']);
      corral = await startCorral(runtime, { models: models.config(['tiny']) });
    });
    after(async () => {
      await corral.close();
      await models.remove();
    });

    it('are counted, and stay counted when the runner has gone', async () => {
      const scrape = async (): Promise<string> => (await fetch(`${corral.url}/metrics`)).text();
      const tokens = async (kind: string): Promise<number> =>
        valueOf(await scrape(), `corral_${kind}_tokens_total`, { model: 'tiny' });
      const first = await corral.post('/v1/chat/completions', chat('tiny'));
      const usage = first.body['usage'] as { prompt_tokens: number; completion_tokens: number } | undefined;

      expect(await tokens('prompt')).to.equal(usage?.prompt_tokens);
      // llama-server does not count the end token, which its usage has.
      expect(await tokens('generated')).to.be.closeTo(usage?.completion_tokens ?? NaN, 1);
      const once = await tokens('generated');
      await corral.leases.unload('tiny', new LightSignal());
      await until('it has gone', () => corral.status().runners.length === 0);
      expect(await tokens('generated')).to.equal(once);
      await corral.post('/v1/chat/completions', chat('tiny'));
      expect(await tokens('generated')).to.equal(2 * once);
    });
  });
