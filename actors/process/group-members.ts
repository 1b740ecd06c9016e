import { readdirSync, readFileSync } from 'node:fs';

/** The processes of a group or session, by its leader; on Linux alone. A wrapper's children are among them. */
export function membersOf(leaderPid: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => leadersOf(pid).includes(leaderPid));
}

/** The leaders of a process's group and session: fields 5 and 6 of its `stat`. */
function leadersOf(pid: number): number[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; what follows it does not.
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ', 4)
      .slice(2)
      .map(Number);
  } catch {
    return []; // it has ended meanwhile
  }
}
