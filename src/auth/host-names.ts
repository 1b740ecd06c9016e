import { BlockList, isIP } from 'node:net';
import { hostname } from 'node:os';

/** Names that lead to this machine and that nobody on the internet can make lead elsewhere, or from elsewhere. */
const ownNames = (): string[] => {
  const own = hostname().toLowerCase();
  return ['localhost', own, `${own}.local`, 'host.docker.internal'];
};

/** `[::1]:8686` is `::1`; names in lower case. */
function nameIn(hostHeader: string): string {
  const host = hostHeader.toLowerCase();
  if (host.startsWith('[')) return host.slice(1, Math.max(1, host.indexOf(']')));
  const colon = host.indexOf(':');
  return (colon === -1 ? host : host.slice(0, colon)).replace(/\.$/, '');
}

/** True if an address is this machine's own, where nobody else can call. */
export const isLoopback = (host: string): boolean => {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  const family = isIP(name);
  return family === 0 ? name === 'localhost' : loopback.check(name, family === 6 ? 'ipv6' : 'ipv4');
};

/** However they are written: `0:0:0:0:0:0:0:1` and `::ffff:127.0.0.1` are among them. */
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * The names that clients may reach Corral by. A page can have its own name lead to 127.0.0.1 ("DNS rebinding"); to the browser,
 * Corral is then a part of that page's site. The `Host` header gives it away. An IP address is no name, so it always may.
 */
export class HostNames {
  readonly #names: ReadonlySet<string>;
  readonly #suffixes: readonly string[];

  constructor(listenHost: string, allowed: readonly string[]) {
    const names = allowed.map((name) => name.toLowerCase());
    this.#names = new Set([...ownNames(), listenHost.toLowerCase(), ...names]);
    this.#suffixes = [
      '.localhost',
      ...names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1)),
    ];
  }

  /** No `Host` at all is HTTP/1.0, which browsers do not speak and health checks do. */
  has(hostHeader: string | undefined): boolean {
    if (hostHeader === undefined) return true;
    const name = nameIn(hostHeader);
    return (
      this.#names.has(name) || isIP(name) !== 0 || this.#suffixes.some((suffix) => name.endsWith(suffix))
    );
  }
}
