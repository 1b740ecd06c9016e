import { expect } from 'chai';
import { chat, until } from '../../test/support/corral.ts';
import { withPage } from './support/with-page.ts';

withPage('what was before the page was opened', {}, (given) => {
  const loads = (): Promise<number> => given.page.locator('rect.tl-loading').count();

  it('is in the timeline and below the time bar after a reload', async () => {
    await given.corral.post('/v1/chat/completions', chat('tiny', { max_tokens: 2 }));
    await given.corral.post('/v1/chat/completions', chat('other', { max_tokens: 2 }));
    const loadedMs = Date.now();
    await until('both are kept', async () => {
      const text = await (await fetch(`${given.corral.url}/api/v1/history`)).text();
      return text.includes('"model":"other"') && text.includes('"kind":"evict"');
    });

    await given.page.reload();
    await given.go('/timeline');

    await until('both loads are drawn', async () => (await loads()) > 1);
    const bar = given.page.locator('.time-bar');
    await bar.waitFor();
    const slider = bar.getByRole('slider');
    await until('one can look back', async () => Number(await slider.getAttribute('min')) < loadedMs);
    await given.shot('recalled');
  });

  it('has the events that the charts have made of it', async () => {
    const { page } = given;
    await given.go('/charts');
    await until(
      'they are told',
      async () => (await page.locator('main').textContent())?.includes('process.started') ?? false,
    );
  });
});

withPage('a service that keeps no history', { config: { history: 0 } }, (given) => {
  it('is looked at from now on', async () => {
    expect(await (await fetch(`${given.corral.url}/api/v1/history`)).text()).to.equal('');
    await given.go('/timeline');
    await given.page.getByRole('group', { name: /^Timeline/ }).waitFor();
  });
});
