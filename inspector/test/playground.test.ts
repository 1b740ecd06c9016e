import { expect } from 'chai';
import { until } from '../../test/support/corral.ts';
import { withPage } from './support/with-page.ts';

withPage('the playground', { models: ['tiny', 'endless', 'embed'] }, (given) => {
  const ask = async (model: string, question: string): Promise<void> => {
    await given.page.getByLabel('Model').selectOption(model);
    await given.page.getByLabel('Message').fill(question);
    await given.page.getByLabel('Message').press('Enter');
  };

  it('offers the models that can chat', async () => {
    await given.go('/playground');
    await given.page.getByLabel('Model').getByRole('option').first().waitFor({ state: 'attached' });

    expect(await given.page.getByLabel('Model').getByRole('option').allInnerTexts()).to.deep.equal([
      'tiny',
      'endless',
    ]);
  });

  it('streams a reply, with what it took and what was decided for it', async () => {
    await ask('tiny', 'Who are you?');
    await given.page.locator('.answer', { hasText: 'this is tiny speaking' }).waitFor();
    await given.page.getByText('Reply done').waitFor({ state: 'attached' });
    const side = given.page.getByRole('region', { name: 'This request' });
    await side.getByText(/request for tiny served/).waitFor();
    const text = await side.innerText();

    expect(text).to.match(/waited\s+\d.*s/);
    expect(text).to.match(/of that, load\s+\d.*s/);
    expect(text).to.match(/first token after\s+\d.*s/);
    expect(text).to.match(/tokens\/s\s+\d+\.\d/);
    expect(text).to.match(/runner\s+runner-1/);
    expect(text).to.match(/loading tiny[\s\S]*tiny loaded[\s\S]*request for tiny served/);
    await given.shot('playground');
  });

  it('stops a reply, and the slot is free again', async () => {
    await given.page.getByLabel('tokens', { exact: true }).fill('');
    await ask('endless', 'Go on.');
    await given.page.locator('.answer', { hasText: 'on and over we go' }).waitFor();
    await given.page.getByRole('button', { name: 'Stop' }).click();
    await given.page.getByText('Stopped.').waitFor();

    await until('no lease is left', () => given.corral.status().runners.every(({ leases }) => leases === 0));
    expect(await given.page.getByRole('region', { name: 'This request' }).innerText()).to.include(
      'evicted tiny',
    );
  });

  it('says what the server says when it refuses', async () => {
    await given.page.route('**/v1/chat/completions', (route) =>
      route.continue({ postData: JSON.stringify({ model: 'gone', messages: [] }) }),
    );
    await ask('tiny', 'Hello?');
    await given.page.getByRole('alert').getByText(/gone/).waitFor();
    await given.page.unroute('**/v1/chat/completions');
  });
});
