// The alias `node-pty` stands for the prebuilt packages of `@lydell/node-pty`, whose own types carry that other name.
declare module 'node-pty' {
  export interface IPty {
    readonly pid: number;
    onData(listener: (data: string) => void): { dispose(): void };
    onExit(listener: (exit: { exitCode: number; signal?: number }) => void): { dispose(): void };
    resize(columns: number, rows: number): void;
    write(data: string): void;
    /** Takes no more output until `resume`. */
    pause(): void;
    resume(): void;
    kill(signal?: string): void;
  }
  export function spawn(
    file: string,
    args: string[],
    options: {
      name?: string;
      cols?: number;
      rows?: number;
      cwd?: string;
      env?: Record<string, string | undefined>;
    },
  ): IPty;
}
