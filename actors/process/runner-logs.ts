import type { RunnerId } from '../../machines/vocabulary.ts';

const KEPT_LINES = 500;
const LONGEST_LINE = 4_096;
/** Characters of raw terminal output; twice as many before the older half is dropped. */
const KEPT_TEXT = 32 * 1024;
/** Logs are kept of so many runners that have no process any more; those that have one keep theirs. */
const KEPT_ENDED = 50;

type Listener = (text: string) => void;

/** A line as it was printed, and when: Unix time in ms. */
export interface LoggedLine {
  readonly text: string;
  readonly atMs: number;
}
type LineListener = (text: string, atMs: number) => void;

interface Log {
  readonly lines: LoggedLine[];
  readonly listeners: Set<LineListener>;
  readonly terminalListeners: Set<Listener>;
  partial: string;
  /** As the terminal had it, escape sequences included. */
  text: string;
}

// CSI and OSC sequences, and single-character escapes.
// oxlint-disable-next-line no-control-regex -- escape sequences are control characters
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/**
 * The last lines that each runner printed: plain text, without terminal escapes. Bounded in lines, in width, and in runners that have ended. The way
 * into its terminal is here, too.
 */
export class RunnerLogs {
  readonly #logs = new Map<RunnerId, Log>();
  readonly #inputs = new Map<RunnerId, (text: string) => void>();
  readonly #onBroken: (error: unknown) => void;

  /** `onBroken` is told what a listener threw: its trouble is not the runner's. */
  constructor(onBroken: (error: unknown) => void = () => {}) {
    this.#onBroken = onBroken;
  }

  /** Takes terminal output as it comes; returns the lines that it completed. */
  append(runnerId: RunnerId, chunk: string): readonly string[] {
    const log = this.#of(runnerId);
    log.text += chunk;
    if (log.text.length > 2 * KEPT_TEXT) log.text = log.text.slice(-KEPT_TEXT);
    for (const listener of log.terminalListeners) this.#tell(() => listener(chunk));
    const parts = (log.partial + chunk).split(/\r*\n/);
    log.partial = (parts.pop() ?? '').slice(-LONGEST_LINE);
    const lines = parts.map(plain);
    for (const line of lines) this.#keep(log, line);
    return lines;
  }

  /** The process has ended: what it left unfinished is a line too. */
  end(runnerId: RunnerId): void {
    this.#inputs.delete(runnerId);
    const log = this.#of(runnerId);
    if (log.partial !== '') this.#keep(log, plain(log.partial));
    log.partial = '';
    // The log of who has ended last is the last to go.
    this.#logs.delete(runnerId);
    this.#logs.set(runnerId, log);
    this.#trim();
  }

  /** The process has begun: what is typed goes to `write` until it ends. */
  begin(runnerId: RunnerId, write: (text: string) => void): void {
    this.#of(runnerId);
    this.#inputs.set(runnerId, write);
  }

  /** Types into a runner's terminal; false when it has no process. */
  type(runnerId: RunnerId, text: string): boolean {
    const write = this.#inputs.get(runnerId);
    write?.(text);
    return write !== undefined;
  }

  /** The last `count` lines, oldest first. */
  tail(runnerId: RunnerId, count = KEPT_LINES): readonly string[] {
    return this.lines(runnerId, count).map(({ text }) => text);
  }

  /** The same, with the time of each. */
  lines(runnerId: RunnerId, count = KEPT_LINES): readonly LoggedLine[] {
    return this.#logs.get(runnerId)?.lines.slice(-count) ?? [];
  }

  /** Hears each further line; the answer ends it. */
  subscribe(runnerId: RunnerId, listener: LineListener): () => void {
    const { listeners } = this.#of(runnerId);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** The last of what it wrote to its terminal, escape sequences included. */
  terminal(runnerId: RunnerId): string {
    return this.#logs.get(runnerId)?.text ?? '';
  }

  /** Hears whatever it writes to its terminal, as it comes; the answer ends it. */
  subscribeTerminal(runnerId: RunnerId, listener: Listener): () => void {
    const { terminalListeners } = this.#of(runnerId);
    terminalListeners.add(listener);
    return () => terminalListeners.delete(listener);
  }

  #keep(log: Log, text: string): void {
    const line = { text, atMs: Date.now() };
    log.lines.push(line);
    if (log.lines.length > 2 * KEPT_LINES) log.lines.splice(0, log.lines.length - KEPT_LINES);
    for (const listener of log.listeners) this.#tell(() => listener(text, line.atMs));
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#onBroken(error);
    }
  }

  #of(runnerId: RunnerId): Log {
    let log = this.#logs.get(runnerId);
    if (!log) {
      log = { lines: [], listeners: new Set(), terminalListeners: new Set(), partial: '', text: '' };
      this.#logs.set(runnerId, log);
      this.#trim();
    }
    return log;
  }

  #trim(): void {
    if (this.#logs.size - this.#inputs.size <= KEPT_ENDED) return;
    for (const runnerId of this.#logs.keys())
      if (!this.#inputs.has(runnerId)) return void this.#logs.delete(runnerId);
  }
}

/** A line as people read it: a progress line shows only its last state, as a terminal would. */
function plain(line: string): string {
  const text = line.replace(ANSI, '');
  return text.slice(text.lastIndexOf('\r') + 1).slice(0, LONGEST_LINE);
}
