import { constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/** A descriptor for writing; one that does not block refuses at once (EAGAIN) what its reader has no room for. */
export interface Opened {
  readonly fd: number;
  readonly isNonBlocking: boolean;
}

/**
 * Standard output or standard error such that a write to it does not wait for its reader. Terminals and pipes are opened a second time, since the
 * flag would hold for other programs that share them. Files cannot refuse: they stay as they are.
 */
export function openNonBlocking(fd: 1 | 2): Opened {
  const seen = fstatSync(fd);
  if (isatty(fd) || seen.isFIFO()) {
    const again = openAgain(fd);
    if (again !== null) return { fd: again, isNonBlocking: true };
  }
  if (!seen.isFIFO() && !seen.isSocket()) return { fd, isNonBlocking: false };
  // A socket cannot be opened again. Node makes it, and a pipe, non-blocking with its own stream.
  void (fd === 1 ? process.stdout : process.stderr);
  return { fd, isNonBlocking: true };
}

/** Null where the system does not know open descriptors by path, or the terminal belongs to another user. */
function openAgain(fd: number): number | null {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
}
