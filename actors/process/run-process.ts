import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { accessSync, constants as modes } from 'node:fs';
import * as pty from 'node-pty';
import { fromCallback } from 'xstate';
import type { Effects, ProcessCommand, ProcessEvent, ProcessSpec } from '../../machines/effects.ts';
import { exitFailure, type ProcessExit } from './exit-failure.ts';
import { freePort } from './free-port.ts';
import { progressOf } from './load-progress.ts';
import { signalGroup } from './process-group.ts';
import type { ProcessRegistry } from './process-registry.ts';
import type { RunnerLogs } from './runner-logs.ts';
import { serverArguments } from './server-arguments.ts';
import type { SocketFolder } from './socket-folder.ts';

/** Wide enough that no line is ever wrapped. */
const COLUMNS = 4_096;
/** Signs of life are told at most this often. */
const ACTIVITY_EVERY_MS = 250;
const MAX_TRIES = 4;
const PORT_TAKEN = /couldn't bind|address already in use|EADDRINUSE/i;
const READY_LINE = /listening on (?:http|unix)/i;

export interface ProcessParts {
  readonly logs: RunnerLogs;
  readonly registry: ProcessRegistry;
  readonly sockets: SocketFolder;
  /** How the embedded runner is started: a program and its first arguments. */
  readonly embedded: { readonly file: string; readonly args: readonly string[] };
  readonly env: NodeJS.ProcessEnv;
}

type Tell = (event: ProcessEvent) => void;

/**
 * One process from spawn to exit, in a terminal and so in a session and process group of its own: it gets SIGHUP when
 * Corral dies, whatever the reason. Tells `process.exited` exactly once, also when nothing could be started.
 */
export const createRunProcess = (parts: ProcessParts): Effects['runProcess'] =>
  fromCallback<ProcessCommand, ProcessSpec>(({ input, sendBack, receive }) => {
    const child = new Child(parts, input, sendBack as Tell);
    receive(({ type }) => child.end(type === 'process.kill' ? 'SIGKILL' : 'SIGTERM'));
    void child.start(1);
    return () => child.end('SIGKILL');
  });

class Child {
  readonly #parts: ProcessParts;
  readonly #spec: ProcessSpec;
  readonly #tell: Tell;
  #pid: number | null = null;
  #asked: NodeJS.Signals | null = null;
  #phase: ProcessExit['phase'] = 'loading';
  #toldActivityAtMs = 0;
  #hasEnded = false;

  constructor(parts: ProcessParts, spec: ProcessSpec, tell: Tell) {
    this.#parts = parts;
    this.#spec = spec;
    this.#tell = tell;
  }

  async start(attempt: number): Promise<void> {
    const { launch } = this.#spec;
    try {
      if (launch.runtime === 'llama-server') accessSync(launch.binary ?? '', modes.X_OK);
      const port = await freePort();
      if (this.#asked) this.#exited(null, this.#asked);
      else this.#spawn(port, attempt);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#parts.logs.append(this.#spec.runnerId, `execvp(3) failed: ${text}\n`);
      this.#exited(1, null);
    }
  }

  /** Asks the whole group to end. One that has not been started yet never will be. */
  end(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#hasEnded) return;
    this.#asked = signal;
    if (this.#pid !== null) signalGroup(this.#pid, signal);
  }

  #spawn(port: number, attempt: number): void {
    const { runnerId, launch } = this.#spec;
    const { embedded, env, logs, registry, sockets } = this.#parts;
    const isEmbedded = launch.runtime === 'embedded';
    const file = isEmbedded ? embedded.file : (launch.binary ?? '');
    // A second try has no time for what may have hindered the first.
    const socketPath = attempt === 1 ? sockets.pathFor(file, runnerId) : null;
    const args = [...(isEmbedded ? embedded.args : []), ...serverArguments(this.#spec, port, socketPath)];
    const apiKey = randomBytes(24).toString('base64url');
    const terminal = pty.spawn(file, args, {
      name: 'dumb',
      cols: COLUMNS,
      rows: 50,
      env: childEnv(env, apiKey),
    });
    this.#pid = terminal.pid;
    registry.add({ runnerId, pid: terminal.pid, command: file });
    logs.begin(runnerId, (text) => terminal.write(text));
    terminal.onData((data) => this.#heard(logs.append(runnerId, data)));
    terminal.onExit(({ exitCode, signal }) => {
      logs.end(runnerId);
      registry.remove(runnerId);
      // The leader has gone; nobody of its group may stay.
      signalGroup(terminal.pid, 'SIGKILL');
      this.#pid = null;
      if (socketPath !== null) sockets.release(socketPath);
      const lost = this.#lostAddress();
      if (socketPath !== null && lost?.includes(socketPath)) sockets.rememberUnable(file);
      if (lost !== null && attempt < MAX_TRIES) void this.start(attempt + 1);
      else this.#exited(signal ? null : exitCode, signal ? signalName(signal) : null);
    });
    const endpoint = {
      baseUrl: `http://127.0.0.1:${port}`,
      ...(socketPath !== null && { socketPath }),
      groupPid: terminal.pid,
      apiKey,
    };
    this.#tell({ type: 'process.started', pid: terminal.pid, endpoint });
  }

  #heard(lines: readonly string[]): void {
    if (this.#phase === 'serving') return;
    if (lines.some((line) => READY_LINE.test(line))) this.#phase = 'serving';
    const progress = progressOf(lines);
    const nowMs = performance.now();
    if (progress === null && nowMs - this.#toldActivityAtMs < ACTIVITY_EVERY_MS) return;
    this.#toldActivityAtMs = nowMs;
    this.#tell({ type: 'process.activity', progress });
  }

  /** What it said of an address that it did not get; null when that was not why it ended. */
  #lostAddress(): string | null {
    if (this.#asked || this.#phase === 'serving') return null;
    return this.#parts.logs.tail(this.#spec.runnerId, 20).find((line) => PORT_TAKEN.test(line)) ?? null;
  }

  #exited(exitCode: number | null, signal: string | null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { runnerId, modelName, launch } = this.#spec;
    const failure = exitFailure({
      modelName,
      modelPath: launch.modelPath,
      binary: launch.binary ?? 'the embedded runner',
      phase: this.#phase,
      exitCode,
      signal,
      isExpected: this.#asked !== null,
      lines: this.#parts.logs.tail(runnerId, 100),
    });
    this.#tell({ type: 'process.exited', exitCode, signal, failure });
  }
}

/** Corral's environment less its own settings, and with the runner's key; plain text is asked for. */
function childEnv(env: NodeJS.ProcessEnv, apiKey: string): Record<string, string | undefined> {
  const own = Object.entries(env).filter(([name]) => !name.startsWith('CORRAL_'));
  return { ...Object.fromEntries(own), LLAMA_API_KEY: apiKey, NO_COLOR: '1' };
}

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `signal ${number}`;
}
