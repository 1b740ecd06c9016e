import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Suite } from 'mocha';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { buildPage } from '../../../scripts/build-page.ts';
import { startCorral, type Corral } from '../../../test/support/corral.ts';
import { writeModels, type TestModels } from '../../../test/support/models.ts';
import { chromiumPath, theBrowser } from './browser.ts';

/** Where the pictures go; not part of the repository. */
export const shotFolder = fileURLToPath(new URL('../../../test-output/', import.meta.url));

/** Long enough for a busy machine: nothing is expected to be quick here. */
const LONG_MS = 20_000;

export interface Given {
  /** A Corral with real runner processes. */
  corral: Corral;
  readonly models: TestModels;
  /** A page of it. */
  readonly page: Page;
  /** One more, in a context of its own. */
  open(path: string, options?: BrowserContextOptions): Promise<Page>;
  /** Goes to a view by its address, and waits until it is drawn. */
  go(path: string): Promise<void>;
  /** Writes what the page looks like to `test-output/NAME.png`. */
  shot(name: string, page?: Page): Promise<void>;
}

export interface PageOptions {
  /** Of `test/support/models.ts`; each is said to need 400 MiB. */
  readonly models?: readonly ('tiny' | 'other' | 'endless' | 'embed')[];
  /** Room for so many of them; 1 without it. */
  readonly room?: number;
  /** Of the configuration, besides. */
  readonly config?: Record<string, unknown>;
}

/** Describes what needs a browser. Where there is no Chromium that is said, and in CI it is a failure. */
export function withBrowser(title: string, tests: (this: Suite) => void): void {
  if (chromiumPath !== null) return void describe(title, tests);
  describe(title, () => {
    it('is left out: there is no Chromium (install it, or name one by CHROMIUM)', () => {
      expect(process.env['CI'], 'browser tests have to run in CI').to.equal(undefined);
    });
  });
}

/**
 * Describes what the page does, in a real browser against a real Corral. Where there is no Chromium that is said, and in CI it
 * is a failure. An error that the browser reports fails the test during which it came.
 */
export function withPage(title: string, options: PageOptions, tests: (given: Given) => void): void {
  withBrowser(title, function () {
    this.timeout(60_000);
    const contexts: BrowserContext[] = [];
    const problems: string[] = [];
    const given = {
      open: async (path: string, contextOptions: BrowserContextOptions = {}) => {
        const context = await (
          await theBrowser()
        ).newContext({ viewport: { width: 1280, height: 800 }, ...contextOptions });
        contexts.push(context);
        const page = await context.newPage();
        page.setDefaultTimeout(LONG_MS);
        page.on('pageerror', (error) => problems.push(String(error)));
        page.on('console', (message) => {
          if (message.type() === 'error' && !isExpected(message.text())) problems.push(message.text());
        });
        await page.goto(`${given.corral.url}/${path}`);
        return page;
      },
      go: async (path: string) => {
        await given.page.evaluate((hash) => (location.hash = hash), path);
        await given.page.locator('main[data-view]').waitFor();
      },
      shot: async (name: string, page = given.page) => {
        mkdirSync(shotFolder, { recursive: true });
        await page.screenshot({ path: join(shotFolder, `${name}.png`) });
      },
    } as { -readonly [K in keyof Given]: Given[K] };

    before(async () => {
      buildPage();
      const names = options.models ?? ['tiny', 'other'];
      given.models = await writeModels(names);
      // Enough context that no reply comes to its end by itself within a test.
      const spec = { memory: '400MiB', context: 100_000 };
      given.corral = await startCorral('embedded', {
        devices: { CPU: { memory: `${(options.room ?? 1) * 400 + 100}MiB` } },
        models: given.models.config(names, Object.fromEntries(names.map((name) => [name, spec]))),
        ...options.config,
      });
      given.page = await given.open('');
    });
    afterEach(() => {
      expect(problems.splice(0)).to.deep.equal([]);
    });
    after(async () => {
      for (const context of contexts) await context.close();
      await given.corral.close();
      await given.models.remove();
    });
    tests(given);
  });
}

/** The browser itself reports connections that could not be made; whether that is right, tests say. */
const isExpected = (text: string): boolean => /WebSocket connection to|Failed to load resource/.test(text);
