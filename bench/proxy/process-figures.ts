import { readFileSync } from 'node:fs';

/** Of the kernel's accounting; USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/** Milliseconds of CPU that a process has used so far, all its threads together. In steps of 10 ms. */
export function cpuMs(pid: number): number {
  // The name in brackets may hold anything; fields are counted behind it (proc(5): 14 and 15 of all).
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** MiB of main memory that a process occupies now. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
