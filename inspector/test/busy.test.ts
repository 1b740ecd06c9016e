import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { buildPage } from '../../scripts/build-page.ts';
import { followActors } from '../../src/charts/follow-actors.ts';
import { realClock } from '../../src/clock.ts';
import { builtPage, createPage } from '../../src/http/page.ts';
import { aGpu, aModel } from '../../test/support/pool.ts';
import { startPoolServer, type PoolServer } from '../../test/ws/support/pool-server.ts';
import { theBrowser } from './support/browser.ts';
import { Churn } from './support/churn.ts';
import { withBrowser } from './support/with-page.ts';

const RUNNERS = 200;
const EVENTS_PER_SECOND = 2_000;
/** Virtual time from one request to the next: what follows from the above is about forty times as fast as life. */
const GAP_MS = 100;
/** The machine is shared: the best of some rounds counts. */
const ROUNDS = 5;
const ROUND_MS = 1_500;
const MIB = 1024 ** 2;

/** For the page: as text, since what compiles the tests gives named functions a helper that the page lacks. */
const COUNT_FRAMES = `new Promise((resolve) => {
  const startMs = performance.now();
  let frames = 0;
  requestAnimationFrame(function count(now) {
    frames++;
    if (now - startMs < ${ROUND_MS}) requestAnimationFrame(count);
    else resolve((frames * 1000) / (now - startMs));
  });
})`;

/**
 * What a browser takes for work that has nothing to do with ours: how fast the machine is at the moment. Laid out are as many cells as
 * a table of all runners has.
 */
const LAY_OUT = `(() => {
  const place = document.body.appendChild(document.createElement('div'));
  place.style.cssText = 'position: absolute; visibility: hidden';
  for (let round = 0; round < 20; round++) {
    place.innerHTML = '<table>' + '<tr><td>a</td><td>b</td><td>c</td><td>d</td><td>e</td></tr>'.repeat(200) + '</table>';
    place.getBoundingClientRect();
  }
  place.remove();
})()`;

withBrowser('the page, beside a very busy Corral', function () {
  this.timeout(120_000);
  let served: PoolServer;
  let churn: Churn;
  let context: BrowserContext;
  let page: Page;
  let eventsPerRequest = 0;
  let idleCost = 0;

  before(async () => {
    buildPage();
    const files = createPage(builtPage);
    const specs = Array.from({ length: RUNNERS + 8 }, (_, i) => aModel(`model-${i}`, 1));
    const devices = ['CUDA0', 'CUDA1', 'CUDA2', 'CUDA3'].map((id) => aGpu(id, 64));
    served = await startPoolServer(
      { clock: realClock, now: () => performance.now() },
      (request, response) => {
        const path = (request.url ?? '/').replace(/\?.*$/s, '');
        void files.send(request, response, path).then((isSent) => isSent || response.writeHead(404).end());
      },
      0,
      { devices, specs },
    );
    churn = new Churn(served.pool, specs, GAP_MS);
    // Every model is loaded once, and the program is warm.
    churn.step(3 * specs.length);
    idleCost = costOf(2_000);
    eventsPerRequest = countEvents(500);
    context = await (await theBrowser()).newContext({ viewport: { width: 1280, height: 800 } });
    page = await context.newPage();
    await page.goto(served.url);
    await page.getByText('live', { exact: true }).waitFor();
  });
  after(async () => {
    await context.close();
    await served.close();
  });

  /** Processor time of a request, in µs, while nobody is told of it. */
  const costOf = (requests: number): number => {
    const before = process.cpuUsage();
    churn.step(requests);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / requests;
  };
  const countEvents = (requests: number): number => {
    let count = 0;
    const stop = followActors(served.pool.scheduler, () => count++);
    churn.step(requests);
    stop();
    return count / requests;
  };

  /** Keeps the pace for some time; answers how many events there were in a second, and what a request cost in µs. */
  const drive = (forMs: number): Promise<{ perSecond: number; cost: number }> =>
    new Promise((resolve) => {
      const startMs = performance.now();
      const before = process.cpuUsage();
      let requests = 0;
      const timer = setInterval(() => {
        const spentMs = performance.now() - startMs;
        const due = Math.ceil(((spentMs / 1000) * EVENTS_PER_SECOND) / eventsPerRequest);
        churn.step(due - requests);
        requests = due;
        if (spentMs < forMs) return;
        clearInterval(timer);
        const { user, system } = process.cpuUsage(before);
        resolve({
          perSecond: (requests * eventsPerRequest) / (spentMs / 1000),
          cost: (user + system) / requests,
        });
      }, 20);
    });

  interface Round {
    readonly frames: number;
    /** What one costs the page's thread, in ms of processor time. */
    readonly frameCost: number;
    /** What it costs to lay out a table of our size, at the same time. */
    readonly layOutCost: number;
    readonly perSecond: number;
    readonly cost: number;
  }

  /** How many frames the page draws in a second, while there is all that to draw. */
  const round = async (): Promise<Round> => {
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');
    const threadTime = async (): Promise<number> => {
      const { metrics } = await session.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'ThreadTime')?.value ?? 0;
    };
    const rested = await threadTime();
    await page.evaluate(LAY_OUT);
    const before = await threadTime();
    const [frames, driven] = await Promise.all([page.evaluate<number>(COUNT_FRAMES), drive(ROUND_MS)]);
    const spentMs = ((await threadTime()) - before) * 1000;
    await session.detach();
    const layOutCost = ((before - rested) * 1000) / 20;
    return { frames, frameCost: spentMs / ((frames * ROUND_MS) / 1000), layOutCost, ...driven };
  };

  const views = [
    { title: 'overview', path: '/', isThere: '.panel.models tbody tr' },
    { title: 'chart of a runner and the events of all', path: '/charts', isThere: '.event' },
  ];
  for (const { title, path, isThere } of views)
    it(`draws the ${title} above 30 frames a second`, async () => {
      await page.evaluate((hash) => (location.hash = hash), path);
      await drive(200);
      await page.locator(isThere).first().waitFor();
      if (path === '/charts') await page.getByLabel(/^only /).uncheck();
      expect(served.pool.ledger.runners.size).to.be.at.least(RUNNERS);
      const rounds: Round[] = [];
      while (rounds.length < ROUNDS && !rounds.some(({ frames }) => frames > 30)) rounds.push(await round());
      const best = rounds.toSorted((a, b) => Number(isFast(b)) - Number(isFast(a)) || b.frames - a.frames)[0];
      if (!best) return;
      console.log(
        `      ${best.frames.toFixed(0)} frames/s, each of ${best.frameCost.toFixed(1)} ms of processor time (a table: ${best.layOutCost.toFixed(1)}), ` +
          `at ${best.perSecond.toFixed(0)} events/s and ${served.pool.ledger.runners.size} runners; the server: ` +
          `${((best.cost - idleCost) / eventsPerRequest).toFixed(0)} µs for each event that is told`,
      );

      expect(isFast(best), JSON.stringify(best)).to.equal(true);
    });

  /** Where others take the processor away, or it is a slow one, a frame costs no more than two tables: 33 ms where that is quick. */
  const isFast = ({ frames, frameCost, layOutCost, perSecond }: Round): boolean =>
    perSecond >= EVENTS_PER_SECOND * 0.95 && (frames > 30 || frameCost < 2 * layOutCost);

  it('holds no more memory after ten minutes than it keeps of the past', async () => {
    const session = await context.newCDPSession(page);
    const heap = async (): Promise<number> => {
      await session.send('HeapProfiler.collectGarbage');
      const { usedSize } = await session.send('Runtime.getHeapUsage');
      return usedSize / MIB;
    };
    /** What the present weighs, and the past that is kept at most. */
    const most = 48 + 60;
    const beginMs = served.pool.world.clock.now();
    const seen: number[] = [];
    while (served.pool.world.clock.now() - beginMs < 600_000) {
      await drive(4_000);
      seen.push(await heap());
    }
    const minutes = (served.pool.world.clock.now() - beginMs) / 60_000;
    console.log(
      `      ${seen.map((size) => size.toFixed(0)).join(', ')} MiB over ${minutes.toFixed(0)} virtual minutes`,
    );

    expect(Math.max(...seen)).to.be.below(most);
  });
});
