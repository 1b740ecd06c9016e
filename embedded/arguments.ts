import { availableParallelism } from 'node:os';

/** What the runner was started with; the flags are llama-server's. */
export interface Arguments {
  readonly modelPath: string;
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  /** All slots together. */
  readonly totalContextTokens: number;
  readonly slots: number;
  readonly embedding: boolean;
  readonly threads: number;
  readonly apiKey: string | null;
  /** Flags that mean nothing here. */
  readonly ignored: readonly string[];
}

const ALIASES: Readonly<Record<string, string>> = {
  '-m': '--model',
  '-a': '--alias',
  '-c': '--ctx-size',
  '-np': '--parallel',
  '-t': '--threads',
  '--embeddings': '--embedding',
};
const SWITCHES = new Set(['--embedding']);
const VALUES = new Set([
  '--model',
  '--alias',
  '--host',
  '--port',
  '--ctx-size',
  '--parallel',
  '--threads',
  '--api-key',
]);

/** Reads the command line; the key may also come as `LLAMA_API_KEY`, where nobody can read it off the process list. */
export function parseArguments(argv: readonly string[], env: NodeJS.ProcessEnv): Arguments {
  const values = new Map<string, string>();
  const ignored: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const flag = ALIASES[argv[i] ?? ''] ?? argv[i] ?? '';
    if (SWITCHES.has(flag)) values.set(flag, 'on');
    else if (VALUES.has(flag)) values.set(flag, argv[++i] ?? '');
    else ignored.push(flag);
  }
  const number = (name: string, fallback: number): number => Number(values.get(name) ?? fallback) || fallback;
  const modelPath = values.get('--model') ?? '';
  return {
    modelPath,
    alias: values.get('--alias') ?? modelPath,
    host: values.get('--host') ?? '127.0.0.1',
    port: number('--port', 8080),
    totalContextTokens: number('--ctx-size', 4096),
    slots: number('--parallel', 1),
    embedding: values.has('--embedding'),
    // With as many threads as cores the prebuilt library's spinning thread pool collapses: 3 tokens/s instead of 2,000.
    threads: number('--threads', Math.max(1, availableParallelism() - 1)),
    apiKey: values.get('--api-key') ?? env['LLAMA_API_KEY'] ?? null,
    ignored,
  };
}
