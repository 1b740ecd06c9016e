import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { readScenario } from '../../src/simulation/read-scenario.ts';
import { chat, until } from '../../test/support/corral.ts';
import { withPage } from './support/with-page.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const corral = (...args: string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, ['--import', tsx, main, ...args]);

withPage('time travel', { models: ['tiny', 'other'] }, (given) => {
  let folder: string;
  let exported: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'corral-page-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  const slider = (page: Page) => page.getByRole('slider', { name: 'Moment' });
  const stepOn = async (page: Page): Promise<void> => {
    await page.keyboard.press('ArrowRight');
    // Drawn is what comes in one of the next frames.
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
  };
  const modelIn = (page: Page, model: string, state: string) =>
    page.locator(`tr[data-model="${model}"][data-state="${state}"]`);

  it('shows the page as it was, by the keyboard, and comes back to what is now', async () => {
    const { page } = given;
    await modelIn(page, 'tiny', 'unloaded').waitFor();
    await until('there is something to look back at', () => slider(page).isEnabled());
    await given.corral.post('/v1/chat/completions', chat('tiny', { max_tokens: 4 }));
    await modelIn(page, 'tiny', 'idle').waitFor();
    // Longer than the steps by which the slider goes.
    const idleSinceMs = performance.now();
    await until('it has been idle for a second', () => performance.now() > idleSinceMs + 1_000);
    await given.corral.post('/v1/chat/completions', chat('other', { max_tokens: 4 }));
    await modelIn(page, 'other', 'idle').waitFor();
    await modelIn(page, 'tiny', 'unloaded').waitFor();
    await slider(page).focus();
    await page.keyboard.press('Home');

    await modelIn(page, 'other', 'unloaded').waitFor();
    await page.getByRole('button', { name: 'Live' }).waitFor();
    // Somewhere on the way the one runs, and the other does not yet.
    await until('tiny is seen idle', async () => {
      await stepOn(page);
      return modelIn(page, 'tiny', 'idle').isVisible();
    });
    expect(await modelIn(page, 'other', 'unloaded').isVisible()).to.equal(true);
    await given.shot('time-travel');
    await page.keyboard.press('End');
    await modelIn(page, 'other', 'idle').waitFor();
    expect(await page.getByRole('button', { name: 'Live' }).isDisabled()).to.equal(true);
  });

  it('takes the charts and the events along', async () => {
    const { page } = given;
    await given.go('/charts?actor=runner-1');
    await page.locator('[data-light="in"][data-state="gone"]').waitFor();
    await slider(page).focus();
    await page.keyboard.press('Home');
    await page.locator('.charts-state', { hasText: 'not there' }).waitFor();
    await until('runner-1 is ready', async () => {
      await stepOn(page);
      return page.locator('[data-light="in"][data-state^="alive.loaded"]').isVisible();
    });
    const types = await page.locator('.event-words').allTextContents();

    expect(types.join()).to.include('door.entered').and.not.include('runner.expire');
    await page.getByRole('button', { name: 'Live' }).click();
    await page.locator('[data-light="in"][data-state="gone"]').waitFor();
  });

  it('plays from where it is to the present', async () => {
    const { page } = given;
    await slider(page).focus();
    await page.keyboard.press('Home');
    await page.getByLabel('Speed').selectOption('16×');
    await page.getByRole('button', { name: 'Play' }).click();

    await page.locator('[data-light="in"][data-state="gone"]').waitFor();
    await until('it has caught up', () => page.getByRole('button', { name: 'Live' }).isDisabled());
  });

  it('is exported as a recording that can be simulated', async () => {
    const { page } = given;
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export' }).click(),
    ]);
    exported = join(folder, 'day.jsonl');
    await download.saveAs(exported);

    expect(download.suggestedFilename()).to.match(/^corral-.*\.jsonl$/);
    expect(Object.keys(readScenario(exported).models)).to.have.members(['tiny', 'other']);
    const { stdout } = await corral('simulate', exported).catch((error: { stdout: string }) => error);
    expect(stdout).to.match(/2 loads/);
  });

  it('opens a recording, without what is live', async () => {
    const page = await given.open('#/charts?actor=runner-1');
    await page.locator('input[type=file]').setInputFiles(exported);
    await page.getByRole('button', { name: 'Close' }).waitFor();
    await page.locator('.charts-state', { hasText: 'not there' }).waitFor();
    await slider(page).focus();
    await page.keyboard.press('End');

    await page.locator('[data-light="in"][data-state="gone"]').waitFor();
    expect(await page.locator('.time-title').textContent()).to.equal('day.jsonl');
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await page.getByRole('button', { name: 'Live' }).isDisabled()).to.equal(true);
  });

  it('opens the trace of a simulation, with all policies to choose from', async () => {
    const scenario = join(folder, 'swap.yaml');
    await writeFile(
      scenario,
      `devices: { CUDA0: 24GiB }
models: { a: { needs: 16GiB }, b: { needs: 16GiB } }
timeline:
  - { at: 0s, request: a, for: 2s }
  - { at: 20s, request: b, for: 2s }
`,
    );
    const trace = join(folder, 'swap.jsonl');
    await corral('simulate', scenario, '--compare', '--trace', trace);
    const page = await given.open('');
    await page.locator('input[type=file]').setInputFiles(trace);
    const runs = page.getByLabel('Run', { exact: true });
    await runs.waitFor();
    await slider(page).focus();
    await page.keyboard.press('End');
    await modelIn(page, 'b', 'idle').waitFor();

    expect(await page.getByRole('row', { name: /Load|Unload/ }).count(), 'models of the file alone').to.equal(
      1,
    );
    expect(await runs.locator('option').allTextContents()).to.deep.equal([
      'swap (default)',
      'swap (ollama)',
      'swap (fifo)',
    ]);
    await given.shot('trace-opened', page);
    await runs.selectOption('swap (ollama)');
    await until('it begins anew', async () => (await modelIn(page, 'b', 'idle').count()) === 0);
  });

  it('says what is wrong with a file that it cannot open, and goes on', async () => {
    const { page } = given;
    const file = join(folder, 'broken.jsonl');
    await writeFile(file, `${(await readFile(exported, 'utf8')).slice(0, -5)}`);
    await page.locator('input[type=file]').setInputFiles(file);

    expect(await page.getByRole('alert').textContent()).to.match(/broken\.jsonl, line \d+ is not JSON/);
    await page.getByRole('alert').getByRole('button', { name: 'Close' }).click();
    expect(await page.getByRole('button', { name: 'Live' }).isDisabled()).to.equal(true);
  });
});
