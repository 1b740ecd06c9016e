import { execFile, type ChildProcess } from 'node:child_process';

/** Output far above what any of these tools print. */
const MAX_OUTPUT_BYTES = 16 * 1024 ** 2;

export interface ToolResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface ToolOptions {
  readonly withinMs: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Ends it sooner. */
  readonly signal?: AbortSignal;
}

/** Tools that were killed for being late and are not gone yet: stuck in a driver, where no signal reaches them. */
const stuck = new Set<string>();

/**
 * Runs a tool to its end, for at most `withinMs`. A failing exit code is a result like any other. Rejects when the tool cannot be
 * started or is late, then without waiting for its death; and while an earlier one is stuck, since another would only join it.
 */
export function runTool(
  file: string,
  args: readonly string[],
  { withinMs, env = process.env, signal: sooner }: ToolOptions,
): Promise<ToolResult> {
  const command = [file, ...args].join(' ');
  if (stuck.has(command)) return Promise.reject(new Error(`${command} hangs, and cannot be ended`));
  return new Promise((resolve, reject) => {
    const timeout = AbortSignal.timeout(withinMs);
    const signal = sooner ? AbortSignal.any([timeout, sooner]) : timeout;
    const options = { signal, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES, env } as const;
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr, exitCode: 0 });
      else if (error.name === 'AbortError') reject(new Error(`${command} took longer than ${withinMs} ms`));
      else if (typeof error.code === 'number') resolve({ stdout, stderr, exitCode: error.code });
      else reject(error);
    });
    signal.addEventListener('abort', () => rememberWhileAlive(command, child), { once: true });
  });
}

function rememberWhileAlive(command: string, child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  stuck.add(command);
  child.once('exit', () => stuck.delete(command));
}
