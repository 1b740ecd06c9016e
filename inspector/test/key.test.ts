import { expect } from 'chai';
import { hashOf, newKey } from '../../src/auth/key.ts';
import { withPage } from './support/with-page.ts';

const reader = newKey();
const manager = newKey();
const keys = {
  reader: { hash: hashOf(reader), scopes: ['read'] },
  manager: { hash: hashOf(manager), scopes: ['read', 'manage', 'inference'] },
};

withPage('the page of a Corral that wants a key', { models: ['tiny'], config: { keys } }, (given) => {
  const enter = async (key: string): Promise<void> => {
    await given.page.getByLabel('Key', { exact: true }).fill(key);
    await given.page.getByRole('button', { name: 'Connect' }).click();
  };

  it('asks for one, and says when it is not taken', async () => {
    await given.page.getByText('This Corral asks for a key').waitFor();
    await given.shot('key');
    await enter('corral_wrong');
    await given.page
      .getByText('It does not know the key that was entered, or that key may not read.')
      .waitFor();
  });

  it('shows, with a key that may only read, and offers nothing more', async () => {
    await enter(reader);
    const load = given.page.getByRole('button', { name: 'Load tiny' });
    await load.waitFor();

    expect(await load.isDisabled()).to.equal(true);
  });

  it('keeps the key in its own tab alone', async () => {
    await given.page.reload();
    await given.page.getByRole('button', { name: 'Load tiny' }).waitFor();
    const other = await given.open('');

    await other.getByText('This Corral asks for a key').waitFor();
    expect(await other.evaluate(() => localStorage.length)).to.equal(0);
  });

  it('acts, and chats, with a key that may', async () => {
    await given.page.evaluate(() => sessionStorage.clear());
    await given.page.reload();
    await enter(manager);
    await given.page.getByRole('button', { name: 'Load tiny' }).click();
    await given.page.locator('tr[data-model="tiny"][data-state="idle"]').waitFor();
    await given.go('/playground');
    await given.page.getByLabel('Message').fill('Hello');
    await given.page.getByLabel('Message').press('Enter');

    await given.page.locator('.answer').waitFor();
  });
});
