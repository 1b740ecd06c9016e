import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../actors/process/free-port.ts';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { Connection } from './connection.ts';
import { chatRequest } from './requests.ts';

/** A way to the fake runner. */
export interface Contestant {
  readonly name: string;
  readonly port: number;
  /** What stands between; null when nothing does. */
  readonly pid: number | null;
}

/** The core for what is measured, and the one for load and fake runner. */
const CORE = { measured: '0', others: '1' } as const;
/** As many as a model may have, and more than any measurement has at a time: nobody waits for a slot here. */
const SLOTS = 256;
const MOST_WAITING = 2_048;

/** Room for the hot model and three more. */
const CPU_LIMIT = '45MiB';

interface CorralOptions {
  /** Names of further models, which do not all fit. */
  readonly churning?: readonly string[];
  readonly logLinesPerSecond?: number;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const hasTool = (file: string): boolean => spawnSync(file, ['--version']).error === undefined;
const canPin = hasTool('taskset');

/** Binds this process, and what it spawns, to the core of the load. Without `taskset` the kernel decides. */
export function pinBench(): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', CORE.others, String(process.pid)]);
}

/** All that is measured, and what belongs to it. */
export class Contest {
  readonly folder = mkdtempSync(join(tmpdir(), 'corral-bench-'));
  readonly #children: ChildProcess[] = [];

  #spawn(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const [command, ...rest] = canPin ? ['taskset', '-c', CORE.measured, file, ...args] : [file, ...args];
    const child = spawn(command ?? file, rest, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, ...env },
    });
    this.#children.push(child);
    return child;
  }

  /** The built Corral as users run it, with the fake runner for its llama-server, and one model in memory. */
  async corral({ churning = [], logLinesPerSecond = 0 }: CorralOptions = {}): Promise<Contestant> {
    const models: Record<string, object> = {};
    for (const [seed, name] of ['bench', ...churning].entries()) {
      const path = join(this.folder, `${name}.gguf`);
      await generateGguf(path, { seed });
      models[name] = { path, slots: SLOTS, memory: '10MiB', keepAlive: 'forever', maxQueue: MOST_WAITING };
    }
    models['bench'] = { ...models['bench'], pin: true };
    const config = {
      listen: { port: 0 },
      dataFolder: this.folder,
      llamaServer: this.#fakeLlamaServer(),
      models,
      devices: { CPU: { memory: CPU_LIMIT } },
    };
    const file = join(this.folder, 'corral.yaml');
    writeFileSync(file, JSON.stringify(config));
    const child = this.#spawn(process.execPath, [here('../../src/cli/main.js'), 'serve', '--config', file], {
      NODE_ENV: 'production',
      FAKE_RUNNER_NOTE: this.#note,
      FAKE_RUNNER_LOG_LINES: String(logLinesPerSecond),
    });
    const port = await portTold(child);
    const first = await Connection.to(port);
    await first.send(chatRequest());
    first.close();
    return { name: 'Corral', port, pid: child.pid ?? null };
  }

  /** A program that Corral takes for llama-server. Models that come and go do so at the lowest priority. */
  #fakeLlamaServer(): string {
    const file = join(this.folder, 'llama-server');
    const pinned = canPin ? `taskset -c ${CORE.others} ` : '';
    const run = `${pinned}"${process.execPath}" "${here('fake-runner.js')}" "$@"`;
    writeFileSync(file, `#!/bin/sh\ncase "$*" in *churn*) exec nice -n 19 ${run};; esac\nexec ${run}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  get #note(): string {
    return join(this.folder, 'runner-port');
  }

  /** The fake runner that Corral has started, without anything between. */
  direct(): Contestant {
    return { name: 'direct', port: Number(readFileSync(this.#note, 'utf8')), pid: null };
  }

  /** nginx before the same runner, one worker; null where there is none. It parses no body and finds no model. */
  async nginx({ port: upstream }: Contestant): Promise<Contestant | null> {
    const file = ['nginx', '/usr/sbin/nginx'].find((name) => spawnSync(name, ['-v']).error === undefined);
    if (file === undefined) return null;
    const port = await freePort();
    const config = join(this.folder, 'nginx.conf');
    writeFileSync(config, nginxConfig({ folder: this.folder, port, upstream }));
    const child = this.#spawn(file, ['-c', config, '-e', join(this.folder, 'nginx.log')]);
    await answers(port);
    return { name: 'nginx', port, pid: child.pid ?? null };
  }

  /** Go's ReverseProxy with a body that is read and a model that is looked up; null without a Go compiler. */
  async go({ port: upstream }: Contestant): Promise<Contestant | null> {
    const compiler = ['go', '/usr/local/go/bin/go'].find(
      (name) => spawnSync(name, ['version']).error === undefined,
    );
    if (compiler === undefined) return null;
    const program = join(this.folder, 'reverse-proxy');
    // The source lies beside this file's own, which is not in the folder of what was built.
    const source = here('../../../bench/proxy/reverse-proxy.go');
    const built = spawnSync(compiler, ['build', '-o', program, source], {
      env: { ...process.env, GO111MODULE: 'off' },
    });
    if (built.status !== 0) return null;
    const port = await freePort();
    const child = this.#spawn(program, [String(port), String(upstream)], { GOMAXPROCS: '1' });
    await answers(port);
    return { name: 'Go', port, pid: child.pid ?? null };
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#children.map(
        (child) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve();
            child.once('exit', () => resolve());
            child.kill('SIGTERM');
          }),
      ),
    );
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Where Corral says that it serves. */
async function portTold({ stdout }: ChildProcess): Promise<number> {
  let text = '';
  for await (const chunk of stdout ?? []) {
    text += String(chunk);
    const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`Corral did not start: ${text}`);
}

async function answers(port: number): Promise<void> {
  for (let left = 100; ; left--)
    try {
      const connection = await Connection.to(port);
      await connection.send(chatRequest());
      return connection.close();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

const nginxConfig = ({
  folder,
  port,
  upstream,
}: {
  folder: string;
  port: number;
  upstream: number;
}): string => `
daemon off; master_process off; pid ${folder}/nginx.pid;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  upstream runner { server 127.0.0.1:${upstream}; keepalive ${SLOTS}; }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 100000000;
    location / {
      proxy_pass http://runner;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 1h;
    }
  }
}
`;
