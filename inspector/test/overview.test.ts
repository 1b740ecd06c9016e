import { expect } from 'chai';
import type { Locator } from 'playwright-core';
import { chat } from '../../test/support/corral.ts';
import { withPage } from './support/with-page.ts';

interface Shift {
  readonly value: number;
  readonly sources: readonly { readonly node: Node | null }[];
}

withPage('the overview', { models: ['tiny', 'other', 'endless'], room: 2 }, (given) => {
  const row = (model: string): Locator => given.page.locator(`tr[data-model="${model}"]`);
  const inState = (model: string, state: string): Promise<void> =>
    given.page.locator(`tr[data-model="${model}"][data-state="${state}"]`).waitFor();
  const decisions = (): Locator => given.page.getByRole('region', { name: 'Decisions' });
  /** What has moved by itself, as browsers score it; the list of decisions aside, which grows at its top. */
  const shifts = (): Promise<number> =>
    given.page.evaluate(() => (globalThis as unknown as { shifted: number }).shifted);
  const ask = (model: string): ReturnType<typeof given.corral.post> =>
    given.corral.post('/v1/chat/completions', chat(model));

  before(async () => {
    await row('tiny').waitFor();
    await given.page.evaluate(() => {
      const seen = globalThis as unknown as { shifted: number };
      seen.shifted = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as unknown as Shift[])
          if (entry.sources.some(({ node }) => !(node instanceof Element && node.closest('.decisions'))))
            seen.shifted += entry.value;
      }).observe({ type: 'layout-shift', buffered: false });
    });
  });

  it('loads a model, and shows it on its device', async () => {
    await row('tiny').getByRole('button', { name: 'Load tiny' }).click();
    await inState('tiny', 'idle');

    const bar = given.page.getByRole('list', { name: 'Memory of CPU' });
    expect(await bar.innerText())
      .to.include('tiny')
      .and.include('400 MiB · idle');
    expect(await row('tiny').innerText())
      .to.include('0 / 2')
      .and.match(/\d:\d\d/);
    expect(await decisions().innerText()).to.match(/tiny loaded\s+ready after/);
  });

  it('pins a model, and lets it go', async () => {
    await row('tiny').getByRole('button', { name: 'Pin tiny' }).click();
    await row('tiny').getByText('pinned', { exact: true }).waitFor();
    await row('tiny').getByRole('button', { name: 'Unpin tiny' }).click();
    await row('tiny').getByRole('button', { name: 'Pin tiny', exact: true }).waitFor();
  });

  it('tells of an eviction in words, and nothing moves for it', async () => {
    await ask('other');
    await inState('other', 'idle');
    const reply = ask('endless');
    await inState('endless', 'ready');
    await decisions()
      .getByText(/evicted (tiny|other)/)
      .waitFor();
    expect(await given.page.locator('tr[data-state="unloaded"]').count()).to.equal(1);
    await given.shot('overview');
    await row('endless').getByRole('button', { name: 'Unload endless' }).click();
    await given.page.getByRole('dialog').getByRole('button', { name: 'End them now' }).click();
    await reply;
    await inState('endless', 'unloaded');

    // What is read as stable is below 0.1.
    expect(await shifts()).to.be.below(0.05);
  });

  it('asks before requests are lost, and Escape keeps them', async () => {
    const reply = ask('endless');
    await inState('endless', 'ready');
    const unload = row('endless').getByRole('button', { name: 'Unload endless' });
    await unload.click();
    const dialog = given.page.getByRole('dialog');
    expect(await dialog.innerText()).to.include('1 request is being served by');
    await given.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await unload.evaluate((button) => button === document.activeElement)).to.equal(true);
    expect(given.corral.status().runners.find(({ model }) => model === 'endless')?.leases).to.equal(1);

    await row('endless').locator('.cell-speed', { hasText: /\d/ }).waitFor();
    await unload.click();
    await dialog.getByRole('button', { name: 'End them now' }).click();
    await reply;
  });

  it('tells of a crash', async () => {
    await ask('other');
    await inState('other', 'idle');
    const runner = given.corral.status().runners.find(({ model }) => model === 'other');
    process.kill(runner?.pid ?? 0, 'SIGKILL');
    await inState('other', 'failed');

    await decisions()
      .getByText(/other failed/)
      .waitFor();
  });

  it('shows who waits, for what', async () => {
    const replies = ['other', 'other', 'other'].map((model) => ask(model));
    const waiting = given.page.getByRole('region', { name: 'Waiting' });
    await waiting.locator('li').first().waitFor();
    expect(await waiting.innerText()).to.match(/other\s+\d+:\d\d so far/);
    await Promise.all(replies);
    await waiting.getByText('Nobody waits.').waitFor();
  });
});
