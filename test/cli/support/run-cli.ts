import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import * as pty from 'node-pty';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Node and its arguments for `corral …`, from source. */
export const corralCommand = (...args: readonly string[]): { file: string; args: string[] } => ({
  file: process.execPath,
  args: ['--import', tsx, main, ...args],
});

export interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** An environment in which `corral` finds nothing but what is in `folder`; with `url`, the Corral that listens there. */
export function placeIn(folder: string, url?: string): Place {
  const {
    LLAMA_SERVER: _server,
    CORRAL_CONFIG: _config,
    CORRAL_PORT: _port,
    CORRAL_API_KEY: _key,
    ...rest
  } = process.env;
  return {
    cwd: folder,
    env: {
      ...rest,
      HOME: folder,
      XDG_DATA_HOME: folder,
      XDG_CONFIG_HOME: folder,
      ...(url !== undefined && { CORRAL_PORT: new URL(url).port }),
    },
  };
}

/** Runs `corral …` to its end, without a terminal. */
export function runCorral(
  place: Place,
  ...given: readonly string[]
): Promise<{ code: number; out: string; err: string }> {
  const { file, args } = corralCommand(...given);
  return new Promise((resolve) => {
    execFile(file, args, place, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

/** `corral …` in a real terminal. */
export class InTerminal {
  /** All that it wrote. */
  text = '';
  readonly exit: Promise<number>;
  readonly #terminal: pty.IPty;

  constructor(place: Place, size: { cols: number; rows: number }, ...given: readonly string[]) {
    const { file, args } = corralCommand(...given);
    this.#terminal = pty.spawn(file, args, { ...size, name: 'xterm', cwd: place.cwd, env: place.env });
    this.#terminal.onData((data) => (this.text += data));
    this.exit = new Promise((resolve) => this.#terminal.onExit(({ exitCode }) => resolve(exitCode)));
  }

  /** Text without what steers the terminal, since `from` characters. */
  lines(from = 0): string[] {
    return stripVTControlCharacters(this.text.slice(from)).split('\r\n');
  }

  type(keys: string): void {
    this.#terminal.write(keys);
  }

  resize(cols: number, rows: number): void {
    this.#terminal.resize(cols, rows);
  }

  kill(): void {
    this.#terminal.kill('SIGKILL');
  }
}
