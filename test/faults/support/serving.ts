import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { stringify } from 'yaml';
import { generateGguf } from '../../../src/models/generate-gguf.ts';
import { corralCommand } from '../../cli/support/run-cli.ts';
import { until } from '../../support/corral.ts';

const fake = fileURLToPath(new URL('../../fixtures/fake-llama-server.mjs', import.meta.url));

/** A folder with a configuration of one model, `a`, whose runner answers at once; and the command that serves it. */
export interface Ground {
  readonly folder: string;
  readonly url: string;
  readonly command: { readonly file: string; readonly args: string[] };
  readonly env: Record<string, string>;
  /** Asks a model, `a` without a name; the status of the answer. */
  ask(model?: string): Promise<number>;
  /** Waits until it serves. */
  served(): Promise<void>;
  remove(): Promise<void>;
}

export async function groundFor(config: Readonly<Record<string, unknown>> = {}): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'corral-fault-'));
  const file = join(folder, 'corral.yaml');
  await generateGguf(join(folder, 'a.gguf'), { name: 'a' });
  const port = await freePort();
  await writeFile(
    file,
    stringify({
      listen: { port },
      dataFolder: join(folder, 'data'),
      llamaServer: fake,
      models: { a: { path: 'a.gguf' } },
      ...config,
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  return {
    folder,
    url,
    command: corralCommand('serve', '--config', file),
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
    ask: async (model = 'a') => {
      const answer = await request(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
      });
      await answer.body.dump();
      return answer.statusCode;
    },
    served: () =>
      until(
        'it serves',
        () =>
          request(`${url}/health`).then(
            async ({ statusCode, body }) => {
              await body.dump();
              return statusCode === 200;
            },
            () => false,
          ),
        60_000,
      ),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** One that nobody listens on at the moment: output that is lost cannot tell which one was taken. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
