import { readFile, readdir } from 'node:fs/promises';

const KIB = 1024;

/** Main memory that a process and its children hold, in bytes. */
export interface HeldMemory {
  /** All of it, pages of mapped files included: weights, programs, libraries. */
  readonly residentBytes: number;
  /** Without pages of files, which the system may take back at any time. */
  readonly privateBytes: number;
}

/** What a process and its children hold of main memory (Linux); null elsewhere, and when it has gone. */
export async function heldMemory(pid: number): Promise<HeldMemory | null> {
  if (process.platform !== 'linux') return null;
  const family = await Promise.all([pid, ...(await childrenOf(pid))].map(heldBy));
  const sum = (key: keyof HeldMemory): number => family.reduce((bytes, one) => bytes + one[key], 0);
  const residentBytes = sum('residentBytes');
  return residentBytes > 0 ? { residentBytes, privateBytes: sum('privateBytes') } : null;
}

/** All that a process and its children hold, as `heldMemory` has it. */
export const residentBytes = async (pid: number): Promise<number | null> =>
  (await heldMemory(pid))?.residentBytes ?? null;

async function heldBy(pid: number): Promise<HeldMemory> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const bytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * KIB;
    const residentBytes = bytes('VmRSS');
    return { residentBytes, privateBytes: residentBytes - bytes('RssFile') };
  } catch {
    return { residentBytes: 0, privateBytes: 0 }; // ended meanwhile
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
