import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { parseScenario, simulate } from '../../src/simulation/simulate.ts';
import { chat, until } from '../../test/support/corral.ts';
import { seriousFindings } from './support/axe.ts';
import { withPage } from './support/with-page.ts';

withPage('the timeline', {}, (given) => {
  const chart = (page: Page = given.page) => page.getByRole('group', { name: /^Timeline/ });

  it('shows loads and who waited, as they happen', async () => {
    await given.go('/timeline');
    await given.corral.post('/v1/chat/completions', chat('tiny'));
    await given.corral.post('/v1/chat/completions', chat('other'));

    await until('both loads are drawn', async () => (await chart().locator('rect.tl-loading').count()) > 1);
    await chart().locator('rect.tl-wait').first().waitFor({ state: 'attached' });
    const texts = await chart().locator('text').allTextContents();
    expect(texts).to.include.members(['decisions', 'queue', 'CPU', 'tiny', 'other']);
    await given.shot('timeline');
  });

  it('tells what was before the view was opened', async () => {
    await given.go('/');
    await given.go('/timeline');
    await until('both loads are drawn', async () => (await chart().locator('rect.tl-loading').count()) > 1);
  });

  it('goes from decision to decision, by the keyboard alone, and to that moment', async () => {
    const { page } = given;
    await chart().focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    const about = page.locator('.timeline-about');
    await until('a decision is told', async () => /load tiny: /.test((await about.textContent()) ?? ''));
    await until('the eviction is told', async () => {
      await page.keyboard.press('ArrowRight');
      return /evict tiny: /.test((await about.textContent()) ?? '');
    });
    await page.keyboard.press('Enter');
    await page.locator('.time-bar[data-past=true]').waitFor();
    await page.locator('.timeline .moment').waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Live', exact: true }).click();
  });

  it('moves in time by dragging, zooms by the wheel, and follows again', async () => {
    const { page } = given;
    const follow = page.getByRole('button', { name: 'Follow' });
    await page.getByRole('button', { name: '30 s' }).click();
    expect(await follow.getAttribute('aria-pressed')).to.equal('true');
    const box = await chart().boundingBox();
    if (!box) return expect.fail('not drawn');
    await page.mouse.move(box.x + 500, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 620, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await until('it stays', async () => (await follow.getAttribute('aria-pressed')) === 'false');
    const ticks = (): Promise<string[]> => page.locator('.timeline-axis text').allTextContents();
    const before = await ticks();
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -400);
    await page.keyboard.up('Control');
    await until('it is nearer', async () => (await ticks()).join() !== before.join());
    await page.keyboard.press('End');
    await until('it follows', async () => (await follow.getAttribute('aria-pressed')) === 'true');
  });

  it('shows a trace that corral simulate has written, in virtual time', async () => {
    const text = readFileSync(new URL('../../scenarios/p01-thrash.yaml', import.meta.url), 'utf8');
    const { events } = simulate(parseScenario(text), { told: true });
    const lines = events.map((event) => JSON.stringify({ scenario: 'p01', policy: 'default', ...event }));
    await given.page.getByLabel('A recording or a trace').setInputFiles({
      name: 'trace.jsonl',
      mimeType: 'application/jsonl',
      buffer: Buffer.from(lines.join('\n')),
    });

    await until('virtual time is told', async () =>
      (await given.page.locator('.timeline-axis text').allTextContents()).includes('2m 0s'),
    );
    expect(await chart().locator('rect.tl-loading').count()).to.be.above(10);
    expect(await chart().locator('rect.tl-wait').count()).to.be.above(10);
    await given.shot('timeline-trace');
    await given.page.getByRole('button', { name: 'Close' }).click();
    await given.page.getByRole('button', { name: 'Follow' }).waitFor();
  });

  it('fits on a phone, and in the dark; nothing is wrong for readers by ear', async () => {
    for (const [name, options] of [
      ['timeline-dark', { colorScheme: 'dark' }],
      ['timeline-400', { viewport: { width: 400, height: 800 } }],
    ] as const) {
      const page = await given.open('#/timeline', options);
      await chart(page).locator('rect.tl-state').first().waitFor({ state: 'attached' });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      await given.shot(name, page);
      expect(wide, name).to.equal(false);
      expect(await seriousFindings(page), name).to.deep.equal([]);
    }
  });
});
