/** The address of a server; IPv6 addresses in brackets. */
export const urlOf = (protocol: 'http' | 'https', host: string, port: number): string =>
  `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`;
