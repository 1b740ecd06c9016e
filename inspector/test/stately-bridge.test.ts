import { expect } from 'chai';
import { chat } from '../../test/support/corral.ts';
import { withPage } from './support/with-page.ts';

/** Stands in for Stately's hosted inspector: it says that it has started as that does, and draws who sent what to whom. */
const VIEWER = `<!doctype html><meta charset="utf-8"><style>
  body { margin: 0; padding: 16px; font: 13px system-ui, sans-serif; color-scheme: light dark }
  h1 { font-size: 14px } td { padding: 1px 18px 1px 0; font-variant-numeric: tabular-nums } .value { opacity: .7 }
</style><h1>A stand-in for Stately's hosted inspector</h1><table></table><script>
  const names = new Map(), table = document.querySelector('table');
  const row = (cells) => { const tr = table.insertRow(); for (const text of cells) tr.insertCell().textContent = text };
  addEventListener('message', ({ data, origin }) => {
    if (!data._version) return;
    window.toldFrom = origin;
    if (data.type === '@xstate.actor') {
      names.set(data.sessionId, data.name);
      row(['new', '', data.name, JSON.parse(data.definition).id]);
    }
    const name = names.get(data.sessionId);
    if (data.type === '@xstate.event') row(['event', names.get(data.sourceId) ?? '', name, data.event.type]);
    if (data.type === '@xstate.snapshot' && data.snapshot.value) row(['', '', name, JSON.stringify(data.snapshot.value)]);
  });
  parent.postMessage({ type: '@statelyai.connected' }, '*');
</script>`;

withPage("the page with Stately's hosted inspector", { config: { inspect: true } }, (given) => {
  it('hands it all that it is told, from the start each time that it starts', async () => {
    const page = await given.open('');
    await page.route('https://stately.ai/inspect', (route) =>
      route.fulfill({ contentType: 'text/html', body: VIEWER }),
    );
    await page.goto(`${given.corral.url}/inspect`);
    const viewer = page.frameLocator('iframe');
    await viewer.getByRole('cell', { name: 'scheduler' }).first().waitFor();
    await given.corral.post('/v1/chat/completions', chat('tiny'));
    await viewer.getByRole('cell', { name: 'door.entered', exact: true }).waitFor();
    await given.shot('stately-bridge', page);

    await page.evaluate(() => {
      const frame = document.querySelector('iframe');
      if (frame) frame.src = String(frame.src);
    });
    await viewer.getByRole('row', { name: 'new runner-1 runner' }).waitFor();
    expect(await page.locator('output').textContent()).to.match(/^\d+ messages$/);
  });

  it('asks for a key when Corral wants one', async () => {
    const page = await given.open('');
    await page.route('https://stately.ai/inspect', (route) =>
      route.fulfill({ contentType: 'text/html', body: VIEWER }),
    );
    await page.routeWebSocket(/\/inspect$/, (socket) => socket.close());
    await page.goto(`${given.corral.url}/inspect`);
    await page.getByLabel('Key').waitFor();
  });
});
