import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import * as pty from 'node-pty';
import { fromCallback } from 'xstate';
import type { Effects, ProcessCommand, ProcessEvent, ProcessSpec } from '../../machines/effects.ts';
import type { ConversationFolder } from '../conversations/conversation-folder.ts';
import { pause } from './await-ready.ts';
import { memoryKills } from './memory-kills.ts';
import { exitFailure, type ProcessExit } from './exit-failure.ts';
import { freePort } from './free-port.ts';
import { progressOf } from './load-progress.ts';
import { signalGroup } from './process-group.ts';
import type { ProcessRegistry } from './process-registry.ts';
import type { RunnerLogs } from './runner-logs.ts';
import { findProgram } from './find-program.ts';
import type { SocketFolder } from './socket-folder.ts';
import { programFile, startOf, type StartParts } from './start-of.ts';
import { runStop, type StopCommand } from './stop-command.ts';

/** Wide enough that no line is ever wrapped. */
const COLUMNS = 4_096;
/** Signs of life are told at most this often. */
const ACTIVITY_EVERY_MS = 250;
const MAX_TRIES = 4;
/** Whoever of a runner's family has not gone by then does not keep it from being told as gone. */
const FAMILY_WITHIN_MS = 1_000;
const PORT_TAKEN = /couldn't bind|address already in use|EADDRINUSE/i;
const READY_LINE = /listening on (?:http|unix)/i;

export interface ProcessParts {
  readonly logs: RunnerLogs;
  readonly registry: ProcessRegistry;
  readonly sockets: SocketFolder;
  /** Where conversations are kept. */
  readonly conversations: ConversationFolder;
  readonly embedded: StartParts['embedded'];
  readonly env: NodeJS.ProcessEnv;
}

interface ProcessEnd extends Pick<ProcessExit, 'exitCode' | 'signal' | 'hindrance'> {
  readonly isExpected?: boolean;
}

/** One start of a program, of the several that a lost address may take. */
interface Attempt {
  readonly attempt: number;
  readonly file: string;
  readonly socketPath: string | null;
  readonly stop: StopCommand | null;
}

type Tell = (event: ProcessEvent) => void;

/**
 * One process from spawn to exit, in a terminal and so in a session and process group of its own: it gets SIGHUP when
 * Corral dies, whatever the reason. Tells `process.exited` exactly once, also when nothing could be started.
 */
export const createRunProcess = (parts: ProcessParts): Effects['runProcess'] =>
  fromCallback<ProcessCommand, ProcessSpec>(({ input, sendBack, receive }) => {
    const child = new Child(parts, input, sendBack as Tell);
    receive(({ type }) => {
      if (type === 'process.serving') child.serves();
      else child.end(type === 'process.kill' ? 'SIGKILL' : 'SIGTERM');
    });
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
  #stop: StopCommand | null = null;
  /** Resolves when its stop command has run; null before that was begun. */
  #stopped: Promise<void> | null = null;
  #memoryKillsBefore: number | null = null;

  constructor(parts: ProcessParts, spec: ProcessSpec, tell: Tell) {
    this.#parts = parts;
    this.#spec = spec;
    this.#tell = tell;
  }

  async start(attempt: number): Promise<void> {
    const { runnerId } = this.#spec;
    try {
      findProgram(this.#spec, this.#parts.env);
    } catch (error) {
      this.#parts.logs.append(runnerId, `execvp(3) failed: ${textOf(error)}\n`);
      return this.#exited({ exitCode: 1, signal: null });
    }
    try {
      const [port, slotFolder] = await Promise.all([freePort(), this.#slotFolder()]);
      if (this.#asked) this.#exited({ exitCode: null, signal: this.#asked });
      else this.#spawn(port, slotFolder, attempt);
    } catch (error) {
      this.#exited({ exitCode: 1, signal: null, hindrance: textOf(error) });
    }
  }

  /** Asks the whole group to end. One that has not been started yet never will be. */
  end(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#hasEnded) return;
    this.#asked = signal;
    if (this.#pid === null) return;
    if (signal === 'SIGKILL' || this.#stop === null) signalGroup(this.#pid, signal);
    else void this.#runStop(this.#stop).then(() => this.#pid !== null && signalGroup(this.#pid, 'SIGTERM'));
  }

  /** It has got ready. */
  serves(): void {
    this.#phase = 'serving';
  }

  /** Once for each process. What it says is in the log of its runner. */
  #runStop(stop: StopCommand): Promise<void> {
    const { logs } = this.#parts;
    const { runnerId } = this.#spec;
    return (this.#stopped ??= runStop(stop, (text) => logs.append(runnerId, text)).then((fault) => {
      if (fault !== null) logs.append(runnerId, `corral: stop command ${stop.command[0]}: ${fault}\n`);
    }));
  }

  /** A disk that cannot be written to costs the conversations, and nothing else. */
  async #slotFolder(): Promise<string | null> {
    const { launch, modelName, runnerId } = this.#spec;
    if (launch.conversations === undefined) return null;
    return this.#parts.conversations.prepare(modelName, launch).catch((error: unknown) => {
      this.#parts.logs.append(runnerId, `corral: conversations cannot be kept: ${textOf(error)}\n`);
      return null;
    });
  }

  #spawn(port: number, slotFolder: string | null, attempt: number): void {
    const { runnerId, launch } = this.#spec;
    const { embedded, env, logs, registry, sockets } = this.#parts;
    const program = programFile(this.#spec) ?? embedded.file;
    // A second try has no time for what may have hindered the first; other programs know no sockets.
    const mayUseSocket = attempt === 1 && launch.runtime !== 'command';
    const socketPath = mayUseSocket ? sockets.pathFor(program, runnerId) : null;
    const apiKey = randomBytes(24).toString('base64url');
    const start = startOf(this.#spec, { port, apiKey, env, embedded, socketPath, slotFolder });
    const { file, args, folder, stop } = start;
    const { believesAnybody, ...asked } = start.endpoint;
    this.#stop = stop;
    this.#stopped = null;
    const terminal = pty.spawn(file, [...args], {
      name: 'dumb',
      cols: COLUMNS,
      rows: 50,
      env: { ...start.env, ...registry.markFor(runnerId) },
      ...(folder !== null && { cwd: folder }),
    });
    this.#pid = terminal.pid;
    this.#memoryKillsBefore = memoryKills();
    registry.add({
      runnerId,
      pid: terminal.pid,
      command: program,
      ...(stop && { stop: { command: [...stop.command], folder: stop.folder } }),
    });
    logs.begin(runnerId, (text) => terminal.write(text));
    terminal.onData((data) => this.#heard(logs.append(runnerId, data)));
    terminal.onExit(({ exitCode, signal }) => {
      logs.end(runnerId);
      this.#pid = null;
      const end = { exitCode: signal ? null : exitCode, signal: signal ? signalName(signal) : null };
      void this.#gone(end, { attempt, file: program, socketPath, stop });
    });
    const endpoint = {
      baseUrl: `http://127.0.0.1:${port}`,
      ...(socketPath !== null && { socketPath }),
      ...(!believesAnybody && { groupPid: terminal.pid }),
      apiKey,
      ...asked,
    };
    this.#tell({ type: 'process.started', pid: terminal.pid, endpoint });
  }

  /** Its leader has gone, and so has its memory once the rest of its family has. */
  async #gone(end: ProcessEnd, { attempt, file, socketPath, stop }: Attempt): Promise<void> {
    const { registry, sockets } = this.#parts;
    const isExpected = this.#asked !== null;
    // However it ended: what no signal reaches may be there still, and so may its memory.
    if (stop !== null) {
      const how = end.signal ?? `exit code ${end.exitCode}`;
      if (!isExpected) this.#tell({ type: 'process.ending', message: `its process ended (${how})` });
      await this.#runStop(stop);
    }
    const tooLong = new AbortController();
    await Promise.race([
      registry.remove(this.#spec.runnerId),
      pause(FAMILY_WITHIN_MS, tooLong.signal).catch(() => {}),
    ]);
    tooLong.abort();
    if (socketPath !== null) sockets.release(socketPath);
    const lost = this.#lostAddress();
    if (socketPath !== null && lost?.includes(socketPath)) sockets.rememberUnable(file);
    if (lost !== null && attempt < MAX_TRIES) void this.start(attempt + 1);
    else this.#exited({ ...end, isExpected });
  }

  #heard(lines: readonly string[]): void {
    if (this.#phase === 'serving') return;
    if (lines.some((line) => READY_LINE.test(line))) {
      this.#phase = 'serving';
      this.#tell({ type: 'process.listening' });
    }
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

  #wasMemoryShort(): boolean | null {
    const kills = memoryKills();
    return kills === null || this.#memoryKillsBefore === null ? null : kills > this.#memoryKillsBefore;
  }

  #exited({ exitCode, signal, hindrance, isExpected = this.#asked !== null }: ProcessEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { runnerId, modelName, launch } = this.#spec;
    const failure = exitFailure({
      modelName,
      modelPath: launch.modelPath,
      binary: programFile(this.#spec) ?? 'the embedded runner',
      runtime: launch.runtime,
      phase: this.#phase,
      exitCode,
      signal,
      isExpected,
      lines: this.#parts.logs.tail(runnerId, 100),
      hindrance,
      wasMemoryShort: signal === 'SIGKILL' ? this.#wasMemoryShort() : null,
    });
    this.#tell({ type: 'process.exited', exitCode, signal, failure });
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `signal ${number}`;
}
