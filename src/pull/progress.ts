import { formatBytes } from '../../machines/vocabulary.ts';
import type { Outlet } from '../terminal/print.ts';
import { printableLine } from '../terminal/printable.ts';
import type { PullProgress } from './pull-model.ts';

const REDRAW_MS = 200;
const BAR_WIDTH = 24;
const STEP_PERCENT = 10;

export interface ProgressView {
  show(progress: PullProgress): void;
  /** Says something beside the progress, on a line of its own. */
  say(text: string): void;
}

/** A bar that is drawn over and over on a terminal; elsewhere a line for every tenth. `nowMs` is a clock that never goes back. */
export function progressView(outlet: Outlet, nowMs: () => number): ProgressView {
  let drawn = false;
  let shownAtMs = -Infinity;
  let file = '';
  let start = { bytes: 0, atMs: 0 };
  let step = 0;
  const clear = (): void => {
    if (drawn) outlet.rewriteLine('');
    drawn = false;
  };
  return {
    show(progress) {
      const now = nowMs();
      if (progress.file !== file || progress.doneBytes < start.bytes) {
        ({ file } = progress);
        start = { bytes: progress.doneBytes, atMs: now };
        step = stepOf(progress);
        shownAtMs = -Infinity;
      }
      const isDone = progress.doneBytes === progress.totalBytes;
      const text = progressText(progress, (progress.doneBytes - start.bytes) / ((now - start.atMs) / 1_000));
      if (!outlet.isTTY) {
        if (stepOf(progress) > step) outlet.write(`${text}\n`);
        step = Math.max(step, stepOf(progress));
      } else if (isDone || now - shownAtMs >= REDRAW_MS) {
        const line = printableLine(`${barOf(progress)} ${text}`);
        outlet.rewriteLine(line.slice(0, Math.max(1, outlet.columns - 1)));
        if (isDone) outlet.write('\n');
        drawn = !isDone;
        shownAtMs = now;
      }
    },
    say(text) {
      clear();
      outlet.write(`${text}\n`);
    },
  };
}

const stepOf = ({ doneBytes, totalBytes }: PullProgress): number =>
  totalBytes === 0 ? 0 : Math.floor((doneBytes / totalBytes) * (100 / STEP_PERCENT));

const barOf = ({ doneBytes, totalBytes }: PullProgress): string => {
  const full = totalBytes === 0 ? BAR_WIDTH : Math.floor((doneBytes / totalBytes) * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
};

/** `42 %  1.2 GiB of 4.6 GiB  85 MiB/s  model.gguf`. */
export function progressText({ file, doneBytes, totalBytes }: PullProgress, bytesPerSecond: number): string {
  const percent = totalBytes === 0 ? 100 : Math.floor((doneBytes / totalBytes) * 100);
  const speed =
    Number.isFinite(bytesPerSecond) && bytesPerSecond > 0 ? `${formatBytes(bytesPerSecond)}/s  ` : '';
  return `${percent} %  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}  ${speed}${file}`;
}
