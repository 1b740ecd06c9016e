import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { DeviceReading } from '../../machines/vocabulary.ts';

const KIB = 1024;

/** Main memory. Where a control group has a limit, as in a container, the limit is what counts. Never rejects. */
export async function readCpu(root = '/'): Promise<DeviceReading> {
  const { totalBytes, freeBytes } = await systemMemory(root);
  const groups = await groupMemories(root);
  const left = groups.map(({ limitBytes, usedBytes }) => Math.max(0, limitBytes - usedBytes));
  return {
    id: 'CPU',
    name: 'Main memory',
    library: 'CPU',
    kind: 'cpu',
    totalBytes: Math.min(totalBytes, ...groups.map(({ limitBytes }) => limitBytes)),
    freeBytes: freeBytes === null ? null : Math.min(freeBytes, ...left),
  };
}

async function systemMemory(root: string): Promise<{ totalBytes: number; freeBytes: number | null }> {
  const text = await textOf(join(root, 'proc', 'meminfo'));
  const bytesOf = (key: string): number | null => {
    const found = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
    return found === undefined ? null : Number(found) * KIB;
  };
  return {
    totalBytes: bytesOf('MemTotal') ?? totalmem(),
    // What programs can have: the page cache makes room for them. macOS counts that cache as used, which tells nothing.
    freeBytes: bytesOf('MemAvailable') ?? (process.platform === 'darwin' ? null : freemem()),
  };
}

interface GroupMemory {
  readonly limitBytes: number;
  /** Without the page cache, which makes room. */
  readonly usedBytes: number;
}

/** The limits of this process's cgroup (v2) and of those around it; empty without any. */
async function groupMemories(root: string): Promise<readonly GroupMemory[]> {
  const mount = join(root, 'sys', 'fs', 'cgroup');
  const own = /^0::(\/.*)$/m.exec(await textOf(join(root, 'proc', 'self', 'cgroup')))?.[1] ?? '/';
  const found: GroupMemory[] = [];
  for (let path = own; ; path = dirname(path)) {
    const memory = await groupMemory(join(mount, path));
    if (memory !== null) found.push(memory);
    if (path === '/') return found;
  }
}

async function groupMemory(folder: string): Promise<GroupMemory | null> {
  const [limit, current, stat] = await Promise.all(
    ['memory.max', 'memory.current', 'memory.stat'].map((name) => textOf(join(folder, name))),
  );
  const limitBytes = Number.parseInt(limit ?? '', 10);
  if (Number.isNaN(limitBytes)) return null; // "max", or no such file
  const bytesOf = (key: string): number =>
    Number(new RegExp(`^${key} (\\d+)`, 'm').exec(stat ?? '')?.[1] ?? 0);
  const cacheBytes = bytesOf('active_file') + bytesOf('inactive_file');
  return { limitBytes, usedBytes: Math.max(0, Number(current) - cacheBytes) };
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
