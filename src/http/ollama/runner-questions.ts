import type { Lease } from '../../lease.ts';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../proxy.ts';

/** Asks a leased runner something beside the request that it is leased for; the answer is empty when it gives none. */
export type AskLeased = (path: string, body: Uint8Array | string) => Promise<Uint8Array<ArrayBuffer>>;

export const askerOf = (
  { pools }: Pick<ProxyParts, 'pools'>,
  { gone }: Exchange,
  { runnerId, endpoint, lost }: Lease,
): AskLeased => {
  const pool = pools.of(runnerId, endpoint);
  return async (path, text) => {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    for (const signal of [gone, lost]) signal.addEventListener('abort', end);
    try {
      const { body } = await pool.request({
        method: 'POST',
        path,
        headers: { authorization: `Bearer ${endpoint.apiKey}`, 'content-type': 'application/json' },
        body: text,
        signal: ended.signal,
      });
      return new Uint8Array(await body.arrayBuffer());
    } catch {
      if (gone.aborted) throw gone.reason;
      return new Uint8Array();
    } finally {
      for (const signal of [gone, lost]) signal.removeEventListener('abort', end);
    }
  };
};
