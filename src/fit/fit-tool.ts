import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runTool, type ToolOptions } from '../../actors/probes/run-tool.ts';
import { parseFitRows, type FitRow } from '../../machines/planning/fit-rows.ts';

/** It reads a header and adds up: some tens of ms, and a second where a driver has to be woken. */
const WITHIN_MS = 15_000;

/** `llama-fit-params`, as it lies beside a llama-server. */
export interface FitTool {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

/** Beside llama-server, or beside what that is a link to; null where it is not. */
export function findFitTool(llamaServer: string | null): FitTool | null {
  if (llamaServer === null) return null;
  const name = process.platform === 'win32' ? 'llama-fit-params.exe' : 'llama-fit-params';
  for (const beside of [() => llamaServer, () => realpathSync(llamaServer)])
    try {
      const path = join(dirname(beside()), name);
      accessSync(path, constants.X_OK);
      const { size, mtimeMs } = statSync(path);
      return { path, bytes: size, modifiedAtMs: mtimeMs };
    } catch {
      // Not there: the formula has to do.
    }
  return null;
}

/** Asks it, for some seconds at most. Throws an Error when it fails, hangs, or says something else. */
export async function askFitTool(
  { path }: FitTool,
  args: readonly string[],
  { withinMs = WITHIN_MS, ...rest }: Partial<ToolOptions>,
): Promise<readonly FitRow[]> {
  const { stdout, stderr, exitCode } = await runTool(path, args, { ...rest, withinMs });
  const rows = exitCode === 0 ? parseFitRows(stdout) : null;
  if (rows) return rows;
  const said = stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  throw new Error(`${path} gave no figures (exit code ${exitCode})${said && `: ${said}`}`);
}
