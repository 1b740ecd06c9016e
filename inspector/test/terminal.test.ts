import { expect } from 'chai';
import { chat } from '../../test/support/corral.ts';
import { withPage } from './support/with-page.ts';

withPage('the terminal', { models: ['tiny', 'other'] }, (given) => {
  before(async () => {
    await given.corral.post('/v1/chat/completions', chat('tiny'));
  });

  it('shows what a runner writes', async () => {
    await given.go('/terminal?runner=runner-1');
    await given.page.locator('.xterm-rows', { hasText: 'listening on' }).waitFor();
    await given.shot('terminal');
  });

  it('lets the keyboard through', async () => {
    await given.page.getByLabel('Terminal of runner-1, read only').focus();
    await given.page.keyboard.press('Shift+Tab');

    expect(await given.page.evaluate(() => document.activeElement?.textContent)).to.equal('Type into it');
  });

  it('types into it only when that is wanted', async () => {
    const { page } = given;
    const screen = page.locator('.xterm-rows');
    await page.getByLabel('Terminal of runner-1, read only').focus();
    await page.keyboard.type('unwanted');
    await page.getByRole('button', { name: 'Type into it' }).click();
    // It is called so once it takes what is typed.
    await page.getByLabel('Terminal of runner-1', { exact: true }).focus();
    await page.keyboard.type('are you there');
    // The terminal echoes what is typed, whether the process reads it or not.
    await screen.getByText('are you there').waitFor();

    expect(await screen.innerText()).not.to.include('unwanted');
    await page.getByRole('button', { name: 'Type into it' }).click();
  });

  it('has the log line by line, and finds what is looked for in it', async () => {
    const { page } = given;
    await page.getByRole('button', { name: 'Log' }).click();
    const lines = page.locator('.log li');
    await lines.filter({ hasText: 'listening on' }).waitFor();
    const all = await lines.count();
    await page.getByLabel('Search').fill('LISTENING');
    await page.locator('.log mark').waitFor();

    expect(await lines.count()).to.equal(1);
    expect(all).to.be.above(1);
    expect(await page.locator('.log mark').innerText()).to.equal('listening');
    await page.getByLabel('Search').fill('no such thing');
    await page.getByText('No line has “no such thing” in it.').waitFor();
    await page.getByLabel('Search').fill('');
  });

  it('follows a model from one runner to the next', async () => {
    const { page, corral } = given;
    await page.getByLabel('Runner or model').selectOption('model=tiny');
    await page.locator('.log-runner', { hasText: 'runner-1' }).first().waitFor();
    await corral.post('/v1/chat/completions', chat('other'));
    await corral.post('/v1/chat/completions', chat('tiny'));
    await page.locator('.log-runner', { hasText: 'runner-3' }).first().waitFor();
    await given.shot('log');
  });

  it('says that a runner is gone', async () => {
    await given.go('/terminal?runner=runner-99');
    await given.page.getByText("There is no runner 'runner-99'.").waitFor();
  });
});
