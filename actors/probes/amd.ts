import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const AMD_VENDOR = '0x1002';
/** Reading may wake a card that sleeps. */
export const AMD_WITHIN_MS = 3_000;

/** VRAM of one card, in bytes; the kernel knows no name. */
export interface AmdCard {
  readonly name: null;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Main memory that the card may use beside it; 0 where the kernel does not tell. */
  readonly mainMemoryBytes: number;
}

/** AMD's cards as the kernel knows them: no tool needed. In order of their card numbers; empty without any. */
export async function readAmd(sysRoot = '/sys'): Promise<readonly AmdCard[]> {
  const folder = join(sysRoot, 'class', 'drm');
  const names = await readdir(folder).catch(() => []);
  const cards = names
    .filter((name) => /^card\d+$/.test(name))
    .toSorted((a, b) => Number(a.slice(4)) - Number(b.slice(4)));
  const read = await Promise.all(cards.map((name) => readCard(join(folder, name, 'device'))));
  return read.flatMap((card) => card ?? []);
}

async function readCard(folder: string): Promise<AmdCard | null> {
  try {
    if ((await text(folder, 'vendor')) !== AMD_VENDOR) return null;
    const totalBytes = Number(await text(folder, 'mem_info_vram_total'));
    const usedBytes = Number(await text(folder, 'mem_info_vram_used'));
    if (!(totalBytes > 0 && usedBytes >= 0)) return null;
    const mainMemoryBytes = Number(await text(folder, 'mem_info_gtt_total').catch(() => '0'));
    return { name: null, totalBytes, freeBytes: Math.max(0, totalBytes - usedBytes), mainMemoryBytes };
  } catch {
    return null; // a card without VRAM of its own has no such files
  }
}

const text = async (folder: string, name: string): Promise<string> =>
  (await readFile(join(folder, name), 'utf8')).trim();
