const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** Sends a signal to a whole process group. Never throws: one that is gone, or belongs to somebody else, gets none. */
export function signalGroup(leaderPid: number, signal: NodeJS.Signals): void {
  // 0 and 1 would be our own group, and everybody.
  if (leaderPid < 2) return;
  try {
    process.kill(-leaderPid, signal);
  } catch {
    // whether it has ended is seen by its exit
  }
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
