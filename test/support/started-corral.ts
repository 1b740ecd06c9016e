import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { stringify } from 'yaml';
import type { ServiceStatus } from '../../src/status.ts';
import { chat, until } from './corral.ts';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;

/** Corral as people start it: a process of its own. */
export class StartedCorral {
  readonly process: ChildProcess;
  readonly exit: Promise<[number | null, string | null]>;
  output = '';

  /** `limits` is what a shell does to itself before it becomes Corral: `ulimit -n 64`. */
  constructor(configPath: string, limits = 'true') {
    this.process = spawn('sh', [
      '-c',
      `${limits} && exec "$0" "$@"`,
      process.execPath,
      '--import',
      'tsx',
      main,
      '--config',
      configPath,
      'serve',
    ]);
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.exit = once(this.process, 'exit') as Promise<[number | null, string | null]>;
  }

  /** Writes a configuration into a folder, and starts it; its log is JSON. */
  static async with(folder: string, config: object, limits?: string): Promise<StartedCorral> {
    const path = join(folder, 'corral.yaml');
    await writeFile(path, stringify({ listen: { port: 0 }, logFormat: 'json', ...config }));
    const corral = new StartedCorral(path, limits);
    await corral.ready();
    return corral;
  }

  get url(): string {
    return /at (http:\S+)/.exec(this.output)?.[1] ?? '';
  }

  /** How often its log has told of something. */
  told(event: string): number {
    return this.output.split(`"event":"${event}"`).length - 1;
  }

  ready(): Promise<void> {
    return until(`it serves: ${this.output}`, () => this.url !== '', 30_000);
  }

  async status(): Promise<ServiceStatus> {
    return (await (await request(`${this.url}/api/v1/status`)).body.json()) as ServiceStatus;
  }

  async chat(model: string, over: object = {}): Promise<{ status: number; text: string }> {
    const { statusCode, body } = await request(`${this.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(chat(model, over)),
    });
    return { status: statusCode, text: await body.text() };
  }
}
