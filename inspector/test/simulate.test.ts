import { expect } from 'chai';
import { seriousFindings } from './support/axe.ts';
import { withPage } from './support/with-page.ts';

const SCENARIO = `# Mine.
devices: { CUDA0: 24GiB }
models:
  a: { needs: 16GiB }
  b: { needs: 16GiB }
timeline:
  - { at: 0s, request: a, as: r1, for: 5s }
  - { at: 1s, request: b, as: r2, for: 5s }
expect:
  requests:
    r2: { granted: 1s }
`;

withPage('the simulation', { models: ['tiny'] }, (given) => {
  const editor = () => given.page.getByLabel('Scenario, in YAML or JSON');
  const under = (policy: string) => given.page.getByRole('region', { name: `Under ${policy}` });
  const edit = async (text: string): Promise<void> => {
    await editor().fill(text);
    await given.page.keyboard.press('Control+Enter');
  };

  it('plays a scenario of the folder under all policies, and lays them side by side', async () => {
    await given.go('/simulate');
    await given.page.getByLabel('Search scenarios').fill('context i10');
    await given.page.getByRole('button', { name: /i10-no-context-thrash/ }).click();

    await under('default').getByText('all as expected').waitFor();
    await under('ollama').locator('rect.tl-loading').nth(2).waitFor({ state: 'attached' });
    const loads = given.page.getByRole('row', { name: 'loads', exact: false }).first();
    expect(await loads.innerText()).to.match(/loads\s+1\s+3/);
    expect(given.page.url()).to.include('scenario=i10-no-context-thrash');
    expect(await editor().inputValue()).to.include('context: 65536');
    await given.shot('simulate');
  });

  it('says what is wrong with a scenario, and in which line', async () => {
    await edit(SCENARIO.replace('request: b', 'request: c').replace('models:', 'modles:'));

    const problems = given.page.getByRole('alert');
    await problems.getByText("Did you mean 'models'?").waitFor();
    await problems.getByRole('button', { name: 'Line 3' }).click();
    const marked = await editor().evaluate((area: HTMLTextAreaElement) =>
      area.value.slice(area.selectionStart, area.selectionEnd),
    );
    expect(marked).to.equal('modles:');
    await given.shot('simulate-wrong');
  });

  it('plays one of one’s own, and shows what did not come as expected, with what was decided', async () => {
    await edit(SCENARIO);

    await under('default').getByText('1 not as expected').waitFor();
    const failure = under('default').getByRole('listitem').first();
    expect(await failure.innerText())
      .to.include('expect.requests.r2.granted')
      .and.match(/load b/);
    await given.page.getByText('2 requests').click();
    const r2 = given.page.getByRole('row', { name: /^r2/ });
    expect(await r2.innerText()).to.match(/served by runner-2, waited/);
  });

  it('plays what a file has: a scenario, or that of a recording', async () => {
    const input = given.page.getByLabel('A scenario or a recording');
    const scenario = { devices: { CUDA0: '24GiB' }, models: { z: { needs: '1GiB' } }, timeline: [] };
    const recording = { format: 'corral-recording', version: 1, scenario, charts: [] };
    await input.setInputFiles({
      name: 'day.jsonl',
      mimeType: 'application/jsonl',
      buffer: Buffer.from(`${JSON.stringify(recording)}\n`),
    });

    await given.page.getByRole('heading', { name: 'day.jsonl' }).waitFor();
    expect(await editor().inputValue()).to.include('"z"');
    const empty = { ...recording, scenario: null };
    await input.setInputFiles({
      name: 'none.jsonl',
      mimeType: 'application/jsonl',
      buffer: Buffer.from(`${JSON.stringify(empty)}\n`),
    });
    await given.page.getByText('none.jsonl is a recording without a scenario').waitFor();
  });

  it('runs beside the page, and can be stopped', async () => {
    // A century in which the devices are read every five seconds.
    const endless = `devices: { CUDA0: 24GiB }
models: { a: { needs: 1GiB } }
timeline: [{ at: 0s, request: a, for: 1s }]
until: 876000h
`;
    await edit(endless);
    await given.page.getByRole('button', { name: 'Stop' }).click();
    await given.page.getByText('It was not played to its end: stopped.').waitFor();
  });

  it('fits on a phone, and in the dark; nothing is wrong for readers by ear', async () => {
    for (const [name, options] of [
      ['simulate-dark', { colorScheme: 'dark' }],
      ['simulate-400', { viewport: { width: 400, height: 1200 } }],
    ] as const) {
      const page = await given.open('#/simulate?scenario=i01-victim-is-drained-in-time', options);
      await page.locator('rect.tl-state').first().waitFor({ state: 'attached' });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      await given.shot(name, page);
      expect(wide, name).to.equal(false);
      expect(await seriousFindings(page), name).to.deep.equal([]);
    }
  });
});
