import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';

const READY_WITHIN_MS = 120_000;
const ENDS_WITHIN_MS = 15_000;
const POLL_MS = 50;

/** A contender's program, in a process group of its own; what it prints is kept in a file. */
export class Program {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #ended: Promise<unknown>;

  constructor(
    command: readonly [file: string, ...args: string[]],
    { env, logFile, cwd }: { env: NodeJS.ProcessEnv; logFile: string; cwd: string },
  ) {
    const [file, ...args] = command;
    this.#logFile = logFile;
    this.#child = spawn(file, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const log = createWriteStream(logFile);
    this.#child.stdout?.pipe(log, { end: false });
    this.#child.stderr?.pipe(log, { end: false });
    // Not its end: what it has started may still write. One that cannot be started tells that as its end.
    this.#ended = once(this.#child, 'exit').catch(() => undefined);
    this.#child.on('close', () => log.end());
  }

  /** Resolves once `path` answers 200. Rejects when the program ends before that, or takes too long. */
  async answers(url: string, path: string): Promise<void> {
    const endMs = performance.now() + READY_WITHIN_MS;
    while (!(await isFine(url + path))) {
      if (this.#hasEnded()) throw new Error(`it ended at once; its output is in ${this.#logFile}`);
      if (performance.now() > endMs)
        throw new Error(`no answer within ${READY_WITHIN_MS / 1_000} s; its output is in ${this.#logFile}`);
      await sleep(POLL_MS);
    }
  }

  /** Asks it to end, and after a while makes it. */
  async end(): Promise<void> {
    if (!this.#hasEnded()) this.#signal('SIGTERM');
    const late = sleep(ENDS_WITHIN_MS, undefined, { ref: false });
    await Promise.race([this.#ended, late]);
    this.#signal('SIGKILL');
    await this.#ended;
  }

  #hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  }
}

async function isFine(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url, { reset: true });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false; // not yet
  }
}
