import { request } from 'undici';
import type { Config } from '../config/schema.ts';

const WITHIN_MS = 5_000;

/** A running Corral's address, as the configuration has it. */
export function addressOf({ listen }: Config): string {
  const host = listen.host === '0.0.0.0' || listen.host === '::' ? '127.0.0.1' : listen.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
}

/** Asks a running Corral. Throws with what to do when none answers. */
export async function askService<T>(address: string, path: string): Promise<T> {
  try {
    const { statusCode, body } = await request(`${address}${path}`, {
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`it answered ${statusCode}: ${text.slice(0, 200)}`);
    return JSON.parse(text) as T;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `No Corral answers at ${address} (${reason}). Start one with \`corral serve\`, or name its configuration with --config.`,
      {
        cause: error,
      },
    );
  }
}
