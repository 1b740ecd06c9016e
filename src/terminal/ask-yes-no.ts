import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { stdout } from './print.ts';

/** Where Linux has the process group that a terminal listens to, and a process's own (proc(5)). */
const GROUP_FIELD = 2;
const FOREGROUND_FIELD = 5;

/** Whether somebody can be asked: on a terminal, not in the background of a shell (where reading would stop the process), not in CI. */
export function canAsk(env: NodeJS.ProcessEnv): boolean {
  return Boolean(process.stdin.isTTY && stdout.isTTY && !env['CI'] && isInForeground());
}

function isInForeground(): boolean {
  if (process.platform !== 'linux') return true;
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[GROUP_FIELD] === fields[FOREGROUND_FIELD];
  } catch {
    return false;
  }
}

/** Asks on the terminal. No answer in time, or none at all, is a no; Ctrl-C ends the process as ever. */
export function askYesNo(question: string, withinMs: number): Promise<boolean> {
  // The terminal itself shows what is typed and takes Ctrl-C.
  const lines = createInterface({ input: process.stdin, terminal: false });
  return new Promise((resolve) => {
    const settle = (answer: boolean): void => {
      // First: closing tells that there is no answer.
      resolve(answer);
      clearTimeout(timer);
      lines.close();
      process.stdin.pause();
    };
    const timer = setTimeout(() => {
      stdout.write('\n');
      settle(false);
    }, withinMs);
    lines.once('line', (line) => settle(/^\s*y(es)?\s*$/i.test(line)));
    lines.once('close', () => settle(false));
    stdout.write(question);
  });
}
