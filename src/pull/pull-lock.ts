import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { isAlive } from '../../actors/process/process-group.ts';
import { startTimeOf } from '../../actors/process/process-identity.ts';
import { readFileText } from '../files/read-file.ts';

const holderSchema = z.object({ pid: z.number(), startTime: z.string().nullable(), host: z.string() });
/** A lock is written at once after it is made; one without content for this long was never finished. */
const UNWRITTEN_MS = 10_000;

/** Somebody else is pulling the file. */
export class PullLockError extends Error {
  override readonly name = 'PullLockError';
}

/**
 * Takes the right to write a file, with a `.lock` beside it, and returns what gives it back. A lock whose process has ended is
 * taken over. Throws a `PullLockError` when a living process has it, also one of this program.
 */
export function lockFile(target: string): () => void {
  const path = `${target}.lock`;
  const own = JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid), host: hostname() });
  // The second attempt is for a lock that was left behind, and is gone then.
  if (!create(path, own) && !(removeIfLeft(path) && create(path, own)))
    throw new PullLockError(`${target} is being pulled by another process already; its lock is ${path}.`);
  return () => rmSync(path, { force: true });
}

function create(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Puts a lock of a dead process aside. Of several who try, one succeeds: only it moves what it has read. */
function removeIfLeft(path: string): boolean {
  const seen = contentOf(path);
  if (seen === null) return true;
  if (isHeld(path, seen)) return false;
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return true; // another process was faster; whether it has the lock now, the next attempt tells
  }
  const isTheSame = contentOf(aside) === seen;
  if (isTheSame) rmSync(aside, { force: true });
  else renameSync(aside, path);
  return isTheSame;
}

function isHeld(path: string, content: string): boolean {
  const holder = holderOf(content);
  // Of the future it is when the clock was set back: no younger than any other.
  if (holder === null) return Math.abs(Date.now() - statSync(path).mtimeMs) < UNWRITTEN_MS;
  // Of another machine's processes nothing is known here.
  if (holder.host !== hostname()) return true;
  return isAlive(holder.pid) && (holder.startTime === null || startTimeOf(holder.pid) === holder.startTime);
}

function holderOf(content: string): z.output<typeof holderSchema> | null {
  try {
    return holderSchema.parse(JSON.parse(content));
  } catch {
    return null;
  }
}

function contentOf(path: string): string | null {
  try {
    return readFileText(path);
  } catch {
    return null;
  }
}
