import { spawn } from 'node:child_process';

/** Longer than `docker stop` waits by itself. */
const STOP_WITHIN_MS = 30_000;

/** A command that ends what a runner has started and no signal reaches, such as a container. */
export interface StopCommand {
  readonly command: readonly string[];
  /** Null: Corral's own. */
  readonly folder: string | null;
  /** Absent: Corral's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Runs it to its end, and hears what it says. Resolves to why it failed, null if it did not; what takes too long is killed. Never rejects. */
export function runStop(
  { command: [file = '', ...args], folder, env }: StopCommand,
  onOutput: (text: string) => void = () => {},
  withinMs = STOP_WITHIN_MS,
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: withinMs,
      killSignal: 'SIGKILL',
      ...(folder !== null && { cwd: folder }),
      ...(env && { env }),
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => onOutput(chunk.toString()));
    child.once('error', ({ message }) => resolve(message));
    // Not `close`: whoever it has left behind may keep its output open.
    child.once('exit', (code, signal) => resolve(code === 0 ? null : `it ended with ${signal ?? code}`));
  });
}

/** Starts it and lets it be: for an `exit` handler, after which nobody waits for anything. */
export function startStop({ command: [file = '', ...args], folder, env }: StopCommand): void {
  const options = { stdio: 'ignore', detached: true } as const;
  spawn(file, args, { ...options, ...(folder !== null && { cwd: folder }), ...(env && { env }) })
    .on('error', () => {}) // told by nobody any more
    .unref();
}
