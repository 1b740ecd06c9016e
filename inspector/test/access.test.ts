import { expect } from 'chai';
import { chat } from '../../test/support/corral.ts';
import { seriousFindings } from './support/axe.ts';
import { withPage } from './support/with-page.ts';

const views = ['/', '/charts', '/timeline', '/terminal', '/playground', '/simulate'] as const;

const nameOf = (view: string): string => (view === '/' ? 'overview' : view.slice(1));

withPage('every view', { models: ['tiny', 'other'], room: 2 }, (given) => {
  before(async () => {
    await given.corral.post('/v1/chat/completions', chat('tiny'));
  });

  for (const view of views) {
    it(`is without serious findings of axe, in light and dark: ${view}`, async () => {
      await given.go(view);
      for (const colorScheme of ['light', 'dark'] as const) {
        await given.page.emulateMedia({ colorScheme });
        expect(await seriousFindings(given.page)).to.deep.equal([]);
        await given.shot(`${nameOf(view)}-${colorScheme}`);
      }
    });
  }

  it('fits into 400 px', async () => {
    const page = await given.open('', { viewport: { width: 400, height: 800 } });
    for (const view of views) {
      await page.evaluate((hash) => (location.hash = hash), view);
      await page.locator(`main[data-view="${view}"]`).waitFor();
      const { scrollWidth, clientWidth } = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scrollWidth, clientWidth };
      });
      expect(scrollWidth, view).to.be.at.most(clientWidth);
      await given.shot(`${nameOf(view)}-400`, page);
    }
  });

  it('is reached, and used, by keyboard alone', async () => {
    const page = await given.open('');
    await page.locator('tr[data-model="other"]').waitFor();
    const focused = (): Promise<string> =>
      page.evaluate(() => {
        const { activeElement: at } = document;
        return at?.getAttribute('aria-label') ?? at?.textContent?.trim() ?? '';
      });
    const tabTo = async (name: string): Promise<void> => {
      for (let steps = 0; steps < 60; steps++) {
        await page.keyboard.press('Tab');
        if ((await focused()) === name) return;
      }
      expect.fail(`${name} is not reached by Tab`);
    };

    await page.keyboard.press('Tab');
    expect(await focused()).to.equal('Skip to the view');
    await page.keyboard.press('Enter');
    expect(await focused()).to.equal('Overview');
    await tabTo('Load other');
    await page.keyboard.press('Enter');
    await page.locator('tr[data-model="other"][data-state="idle"]').waitFor();
    expect(await focused(), 'the focus stays where it was').to.equal('Unload other');
    await tabTo('Playground');
    await page.keyboard.press('Enter');
    await page.locator('main[data-view="/playground"]').waitFor();
    await tabTo('Message');
    await page.keyboard.type('Hello');
    await page.keyboard.press('Enter');
    await page.locator('.answer').waitFor();
  });
});
