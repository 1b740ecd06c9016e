import { expect } from 'chai';
import { chat, startCorral } from '../../test/support/corral.ts';
import { withPage } from './support/with-page.ts';

withPage('the page of a Corral that is started again', { models: ['tiny'] }, (given) => {
  it('says that it is cut off, comes back by itself, and shows what is new', async () => {
    const { page } = given;
    await page.locator('tr[data-model="tiny"]').waitFor();
    await given.corral.post('/v1/chat/completions', chat('tiny'));
    await page.locator('tr[data-model="tiny"][data-state="idle"]').waitFor();
    const port = Number(new URL(given.corral.url).port);
    await given.corral.close();
    await page.getByText('reconnecting', { exact: true }).waitFor();

    given.corral = await startCorral('embedded', {
      listen: { port },
      models: given.models.config(['tiny']),
    });
    await page.getByText('live', { exact: true }).waitFor();
    await page.locator('tr[data-model="tiny"][data-state="unloaded"]').waitFor();
    await page.getByRole('button', { name: 'Load tiny' }).click();
    await page.locator('tr[data-model="tiny"][data-state="idle"]').waitFor();

    expect(given.corral.status().runners.map(({ id }) => id)).to.deep.equal(['runner-1']);
  });
});
