import { readFile, readdir } from 'node:fs/promises';

const KIB = 1024;

/** Resident memory of a process and its children (Linux); null elsewhere, and when it has gone. */
export async function residentBytes(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  let bytes = await residentOf(pid);
  for (const child of await childrenOf(pid)) bytes += await residentOf(child);
  return bytes > 0 ? bytes : null;
}

async function residentOf(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * KIB;
  } catch {
    return 0; // ended meanwhile
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  try {
    const tasks = await readdir(`/proc/${pid}/task`);
    const lists = await Promise.all(
      tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
    );
    return lists.flatMap((list) => list.trim().split(/\s+/).filter(Boolean).map(Number));
  } catch {
    return [];
  }
}
