import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

/** Nothing that reaches out of this machine, and none of what root may not have. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A Chromium on this machine: `CHROMIUM`, else one on PATH; null without one. */
export const chromiumPath: string | null = findChromium();

function findChromium(): string | null {
  const named = process.env['CHROMIUM'];
  if (named) return named;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin'];
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

let launched: Promise<Browser> | null = null;

/** The browser, one for all tests. */
export function theBrowser(): Promise<Browser> {
  if (chromiumPath === null) throw new Error('There is no Chromium.');
  launched ??= chromium.launch({ executablePath: chromiumPath, args: FLAGS });
  return launched;
}

after(async () => {
  await (await launched)?.close();
});
