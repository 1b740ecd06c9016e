import { readdirSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { membersOf } from './group-members.ts';

/** Who holds the far end of a connection within this machine. */
export type Owner = 'the group' | 'somebody else' | 'nobody yet' | 'unknown';

/** Both ends of a TCP connection over 127.0.0.1. */
export interface Ends {
  readonly localPort: number;
  readonly remotePort: number;
}

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
const LISTEN = '0A';
const NO_INODE = '0';
/** 127.0.0.1 as the tables write it, the last group alone of IPv6's form; by the machine's order of bytes. */
const LOOPBACK = /(?:0100007F|7F000001)$/;
const ANY = /^0+$/;

/**
 * Whether the process at the far end of a connection belongs to a process group, as the kernel tells it: the socket's
 * inode is in `/proc/net/tcp`, and a process that holds it has it among its descriptors. `nobody yet` is a connection
 * that is not in the table; `unknown`, a system that does not tell.
 */
export async function ownerOf(ends: Ends, groupPid: number): Promise<Owner> {
  if (process.platform !== 'linux') return 'unknown';
  const tables = await Promise.all(TABLES.map((path) => readFile(path, 'latin1').catch(() => '')));
  if (tables[0] === '') return 'unknown';
  const rows = tables.flatMap((table) => rowsAt(table, ends.remotePort));
  const socket = farSocketOf(rows, ends.localPort);
  if (socket === undefined) return 'nobody yet';
  return isHeldBy(socket.inode, groupPid) ? 'the group' : 'somebody else';
}

interface Row {
  readonly address: string;
  readonly state: string;
  readonly farPort: number;
  readonly inode: string;
}

/** The accepted socket. One that is not accepted lies in the queue of the listener, and does not outlive it. */
function farSocketOf(rows: readonly Row[], nearPort: number): Row | undefined {
  const accepted = rows.find(
    ({ address, state, farPort }) => state !== LISTEN && farPort === nearPort && LOOPBACK.test(address),
  );
  if (accepted && accepted.inode !== NO_INODE) return accepted;
  const listeners = rows.filter(({ state }) => state === LISTEN);
  return (
    listeners.find(({ address }) => LOOPBACK.test(address)) ??
    listeners.find(({ address }) => ANY.test(address))
  );
}

/** The sockets at one port: `sl local far state queues timer retransmits uid timeout inode …`, numbers in hexadecimal. */
function rowsAt(table: string, port: number): Row[] {
  const mark = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return table.split('\n').flatMap((line) => {
    if (!line.includes(mark)) return [];
    const [, local = '', far = '', state = '', , , , , , inode = NO_INODE] = line.trim().split(/\s+/);
    if (!`${local} `.endsWith(mark)) return [];
    const [address = ''] = local.split(':');
    return [{ address, state, farPort: Number.parseInt(far.split(':')[1] ?? '', 16), inode }];
  });
}

/** The leader is looked at first: it is nearly always the one. */
function isHeldBy(inode: string, groupPid: number): boolean {
  const link = `socket:[${inode}]`;
  return holds(groupPid, link) || membersOf(groupPid).some((pid) => holds(pid, link));
}

function holds(pid: number, link: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => linkOf(`${folder}/${fd}`) === link);
  } catch {
    return false; // it has gone, or is not ours to look into
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null; // closed meanwhile
  }
}
