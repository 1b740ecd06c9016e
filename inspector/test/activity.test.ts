import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { chat, until } from '../../test/support/corral.ts';
import { arranged, type Request } from '../src/views/activity/columns.ts';
import { seriousFindings } from './support/axe.ts';
import { withPage } from './support/with-page.ts';

withPage('activity', { room: 2, config: { activity: { bodies: '1MiB' } } }, (given) => {
  const texts = (column: number): Promise<string[]> =>
    given.page.locator(`.activity tbody td:nth-child(${column})`).allTextContents();
  const MODEL = 2;

  it('shows each request as it ends, newest first, and says that bodies are kept', async () => {
    await given.go('/activity');
    await given.corral.post('/v1/chat/completions', chat('tiny', { max_tokens: 3 }));
    await given.corral.post('/v1/chat/completions', chat('other', { max_tokens: 3 }));

    await until('both are there', async () => (await texts(MODEL)).join() === 'other,tiny');
    expect((await texts(8)).every((tokens) => Number(tokens) > 0)).to.equal(true);
    await given.page.getByRole('note').getByText('Bodies of requests are kept').waitFor();
    await given.shot('activity');
  });

  it('is filtered by a text, and sorted by a column', async () => {
    const { page } = given;
    await page.getByLabel('Filter').fill('tiny');
    await until('one is left', async () => (await texts(MODEL)).join() === 'tiny');
    await page.getByLabel('Filter').fill('');
    await page.getByRole('button', { name: 'Model' }).click();
    await until('they are in order', async () => (await texts(MODEL)).join() === 'other,tiny');
    await page.getByRole('button', { name: 'Model' }).click();
    await until('the other way round', async () => (await texts(MODEL)).join() === 'tiny,other');
  });

  it('is there after a reload, and can be had as a file', async () => {
    const { page } = given;
    await page.reload();
    await until('both are there', async () => (await texts(MODEL)).length === 2);
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV' }).click();
    const path = await (await downloading).path();
    expect((await readFile(path, 'utf8')).split('\r\n')).to.have.length(4);
  });

  it('has nothing wrong for readers by ear', async () => {
    expect(await seriousFindings(given.page)).to.deep.equal([]);
  });
});

describe('the order of requests', () => {
  const request = (id: number, over: Partial<Request>): Request =>
    ({ id, at: '', model: 'm', caller: null, path: '/', status: 200, outcome: 'ok', ...over }) as Request;
  const ids = (rows: readonly Request[]): number[] => rows.map(({ id }) => id);

  it('has what is not known last, whichever way', () => {
    const rows = [
      request(1, { outputTokens: null }),
      request(2, { outputTokens: 5 }),
      request(3, { outputTokens: 9 }),
    ];

    expect(ids(arranged(rows, '', { column: 'outputTokens', isDown: true }))).to.deep.equal([3, 2, 1]);
    expect(ids(arranged(rows, '', { column: 'outputTokens', isDown: false }))).to.deep.equal([2, 3, 1]);
  });
});
