import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import type { DeviceReading } from '../../machines/vocabulary.ts';

const KIB = 1024;

/** Main memory. Inside a container with a limit, the limit is what counts. */
export async function readCpu(root = '/'): Promise<DeviceReading> {
  const system = await systemMemory(root);
  const group = await groupMemory(root);
  return {
    id: 'CPU',
    name: 'Main memory',
    library: 'CPU',
    kind: 'cpu',
    totalBytes: Math.min(system.totalBytes, group?.limitBytes ?? Infinity),
    freeBytes: Math.min(system.freeBytes, group ? group.limitBytes - group.usedBytes : Infinity),
  };
}

async function systemMemory(root: string): Promise<{ totalBytes: number; freeBytes: number }> {
  const text = await readFile(join(root, 'proc', 'meminfo'), 'utf8').catch(() => '');
  const bytesOf = (key: string): number | null => {
    const found = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
    return found === undefined ? null : Number(found) * KIB;
  };
  return {
    totalBytes: bytesOf('MemTotal') ?? totalmem(),
    // What programs can have: the page cache makes room for them.
    freeBytes: bytesOf('MemAvailable') ?? freemem(),
  };
}

/** The limit of a cgroup v2, less what cannot be taken back from it; null without a limit. */
async function groupMemory(root: string): Promise<{ limitBytes: number; usedBytes: number } | null> {
  const folder = join(root, 'sys', 'fs', 'cgroup');
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8').catch(() => '');
  const [limit, current, stat] = await Promise.all([
    read('memory.max'),
    read('memory.current'),
    read('memory.stat'),
  ]);
  const limitBytes = Number.parseInt(limit, 10);
  if (!Number.isFinite(limitBytes)) return null;
  const cacheBytes = Number(/^file (\d+)/m.exec(stat)?.[1] ?? 0);
  return { limitBytes, usedBytes: Math.max(0, Number(current) - cacheBytes) };
}
