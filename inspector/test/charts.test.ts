import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { allCharts } from '../../src/charts/all-charts.ts';
import { actorRows } from '../../src/charts/actors.ts';
import { followActors } from '../../src/charts/follow-actors.ts';
import { chat, until } from '../../test/support/corral.ts';
import { withPage } from './support/with-page.ts';

/** Paths of the innermost states that are lit. */
const litIn = (page: Page): Promise<string[]> =>
  page
    .locator('.chart-state[data-light="in"]')
    .evaluateAll((states) => states.map((state) => state.getAttribute('data-state') ?? ''));

const values = (page: Page, attribute: string): Promise<string[]> =>
  page
    .locator(`.chart [${attribute}]`)
    .evaluateAll((all, name) => [...new Set(all.map((one) => one.getAttribute(name) ?? ''))], attribute);

withPage(
  'the charts',
  { models: ['tiny', 'endless'], config: { defaults: { context: 20_000 } } },
  (given) => {
    const show = async (actor: string): Promise<void> => {
      await given.go(`/charts?actor=${actor}`);
      await given.page.locator('.chart').waitFor();
    };
    const serverState = (actor: string): string | undefined =>
      actorRows(given.corral.scheduler).find(({ id }) => id === actor)?.state;
    /** Waits until the server's actor is in a state, and the page lights just that. One that has gone is not there any more. */
    const lights = async (actor: string, state: string): Promise<void> => {
      await until(`${actor} is in ${state}, and lit there`, async () => {
        const [lit] = await litIn(given.page);
        return lit === state && (serverState(actor) ?? state) === state;
      });
    };

    it('draw every state and transition of every machine', async () => {
      for (const { id, states, transitions } of allCharts()) {
        await given.page.goto(`${given.corral.url}/#/charts?actor=${id === 'runner' ? 'runner-0' : id}`);
        await given.page.locator(`svg[data-chart="${id}"] .chart`).waitFor();

        expect(await values(given.page, 'data-state')).to.have.members(states.map(({ path }) => path));
        expect(await values(given.page, 'data-transition')).to.have.members(transitions.map((one) => one.id));
      }
    });

    it('light the state in which the actor is, from its load to its end', async () => {
      const server: string[] = [];
      const stop = followActors(given.corral.scheduler, ({ to, effect }) => {
        if (to !== 'runner-1') return;
        // The effect is complete once this turn is over.
        queueMicrotask(() => effect.after !== null && server.push(effect.after));
      });
      await given.page.goto(`${given.corral.url}/#/charts?actor=runner-1`);
      await given.page.locator('.chart').waitFor();
      const lit = await given.page.evaluateHandle(() => {
        const seen: string[] = [];
        new MutationObserver(() => {
          const path = document.querySelector('.chart-state[data-light="in"]')?.getAttribute('data-state');
          if (path && seen.at(-1) !== path) seen.push(path);
        }).observe(document.body, { attributes: true, subtree: true, childList: true });
        return seen;
      });
      const leaving = new AbortController();
      const answer = fetch(`${given.corral.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(chat('endless', { stream: true })),
        signal: leaving.signal,
      });

      await lights('runner-1', 'alive.loaded.ready');
      await given.shot('charts-ready');
      await answer;
      leaving.abort();
      await lights('runner-1', 'alive.loaded.idle.counting');
      const taken = given.page.locator('.chart-taken');
      expect(await taken.getAttribute('data-arrow')).to.equal(
        'alive.loaded.ready → alive.loaded.idle.counting',
      );
      expect(await given.page.locator('.chart-label [data-taken]').textContent()).to.equal('door.emptied');
      await given.shot('charts-idle');
      given.corral.scheduler.send({ type: 'model.unload', model: 'endless', drainMs: Infinity });
      await lights('runner-1', 'gone');
      stop();

      const seen = await lit.evaluate((paths) => paths);
      expect(seen).to.include.members(['alive.loaded.ready', 'alive.loaded.idle.counting', 'gone']);
      // What is over within a tick is not lit; nothing else is, and nothing out of order.
      let at = 0;
      for (const path of seen) {
        at = server.indexOf(path, at);
        expect(at, `${path} in order`).to.be.at.least(0);
      }
    });

    it('can be had of a runner that has gone', async () => {
      await show('scheduler');
      await given.page.getByLabel('Chart of').selectOption({ label: 'runner-1 · endless · gone' });

      await lights('runner-1', 'gone');
      expect(await given.page.locator('.charts-state').textContent()).to.equal('gone');
    });

    it('of a model light a state in each region, and what the scheduler has told it', async () => {
      await show('model:tiny');
      await given.corral.post('/v1/chat/completions', chat('tiny', { max_tokens: 4 }));
      await until('each region is lit', async () => {
        const lit = await litIn(given.page);
        return lit.includes('process.serving') && lit.length === 6;
      });
      expect((await litIn(given.page)).toSorted()).to.deep.equal([
        'device.shared',
        'loads.allowed',
        'pin.free',
        'place.held',
        'process.serving',
        'requests.none',
      ]);
      const picker = given.page.getByLabel('Chart of');
      expect(await picker.locator('optgroup[label="Models"] option').allTextContents()).to.include(
        'model:tiny · serving',
      );
      const events = given.page.getByRole('listbox', { name: /Events/ });
      await events.getByRole('option', { name: 'scheduler to model:tiny: process.loaded' }).first().waitFor();
      await given.page.locator('.chart-frame').focus();
      await given.page.keyboard.press('0');
      await given.shot('charts-model');
    });

    it('move and grow by the keyboard, and by the pointer', async () => {
      await show('runner-1');
      const frame = given.page.locator('.chart-frame');
      const place = (): Promise<string | null> => given.page.locator('.chart-moved').getAttribute('style');
      const changes = async (act: () => Promise<void>): Promise<void> => {
        const before = await place();
        await act();
        await until('it has moved', async () => (await place()) !== before);
      };
      await frame.focus();
      for (const key of ['0', '+', '-', 'ArrowDown', 'ArrowRight', 'f'])
        await changes(() => given.page.keyboard.press(key));
      await changes(async () => {
        await frame.hover();
        await given.page.mouse.wheel(0, 100);
      });
      await changes(async () => {
        await given.page.mouse.down();
        await given.page.mouse.move(300, 300, { steps: 3 });
        await given.page.mouse.up();
      });
      await frame.focus();
      await given.page.keyboard.press('0');
      const [box, chart] = [
        await frame.boundingBox(),
        await given.page.locator('[data-state=""] > rect').boundingBox(),
      ];

      expect(chart?.height).to.be.at.most(box?.height ?? 0);
      expect(chart?.width).to.be.at.most(box?.width ?? 0);
      await given.shot('charts-fit');
    });

    it('stand beside who sent what to whom, one event of which shows before and after', async () => {
      await show('runner-1');
      const events = given.page.getByRole('listbox', { name: /Events/ });
      await given.page.getByRole('searchbox').fill('door');
      await events.getByRole('option', { name: 'runner-1.door to runner-1: door.entered' }).first().click();
      const details = given.page.getByRole('region', { name: 'The picked event' });

      expect(await details.textContent()).to.include('door.entered');
      expect(await details.getByRole('row', { name: /^state/ }).textContent()).to.equal(
        'statealive.loaded.idle.countingalive.loaded.ready',
      );
      expect(await details.getByRole('row', { name: /^reason/ }).textContent()).to.equal(
        'reasonloadedserving',
      );
      expect(await litIn(given.page)).to.deep.equal(['alive.loaded.ready']);
      await given.shot('charts-event');
      await events.focus();
      await given.page.keyboard.press('ArrowDown');
      await until('the next event is picked', async () =>
        ((await details.textContent()) ?? '').includes('door.emptied'),
      );
      await given.page.keyboard.press('Escape');
      expect(await details.count()).to.equal(0);
      await given.page.getByRole('searchbox').fill('');
    });

    it('let events be paused, to read them', async () => {
      await show('scheduler');
      const count = given.page.locator('.sequence-count');
      await given.page.getByRole('button', { name: 'Pause' }).click();
      const goOn = given.page.getByRole('button', { name: 'Go on' });
      await goOn.waitFor();
      const rows = given.page.locator('.event');
      const before = await rows.allTextContents();
      await given.corral.post('/v1/chat/completions', chat('tiny', { max_tokens: 4 }));
      await until('news are counted', async () => /\d+ since/.test((await count.textContent()) ?? ''));

      expect(await rows.allTextContents()).to.deep.equal(before);
      await goOn.click();
      await until('they are all there', async () => !/since/.test((await count.textContent()) ?? ''));
    });

    it('can be read on a phone, and in the dark', async () => {
      const phone = await given.open('#/charts?actor=runner-1', {
        viewport: { width: 400, height: 860 },
        colorScheme: 'dark',
        reducedMotion: 'reduce',
      });
      await phone.locator('[data-light="in"]').waitFor();
      const wide = await phone.evaluate(() => document.documentElement.scrollWidth);

      expect(wide).to.be.at.most(400);
      await given.shot('charts-phone-dark', phone);
      await phone.evaluate(() => scrollTo(0, document.body.scrollHeight));
      const bottoms = await Promise.all(
        ['.events-frame', '.time-bar'].map((part) =>
          phone.locator(part).evaluate((element) => Math.round(element.getBoundingClientRect().bottom)),
        ),
      );
      expect(bottoms[1], 'the bar with the time').to.equal(860);
      expect(bottoms[0], 'the events').to.be.below(860);
    });
  },
);
