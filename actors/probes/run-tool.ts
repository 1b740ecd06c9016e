import { execFile } from 'node:child_process';

/** Output far above what any of these tools print. */
const MAX_OUTPUT_BYTES = 16 * 1024 ** 2;

export interface ToolResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * Runs a tool to its end, for at most `withinMs`. A failing exit code is a result like any other; rejects when the tool cannot
 * be started or takes too long.
 */
export function runTool(
  file: string,
  args: readonly string[],
  { withinMs, signal }: { withinMs: number; signal?: AbortSignal },
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: withinMs,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT_BYTES,
      signal,
    } as const;
    execFile(file, args, options, (error, stdout, stderr) => {
      if (error?.killed) reject(new Error(`${file} did not answer within ${withinMs} ms`));
      else if (error && typeof error.code !== 'number') reject(error);
      else resolve({ stdout, stderr, exitCode: typeof error?.code === 'number' ? error.code : 0 });
    });
  });
}
