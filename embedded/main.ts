import { existsSync } from 'node:fs';
import { parseArguments } from './arguments.ts';
import { loadEngine, type Engine } from './engine.ts';
import { createRunnerServer } from './http-server.ts';

/** A parent that dies without a word is noticed within this time. */
const PARENT_CHECK_MS = 1_000;

/** Log lines go to stderr, in llama-server's manner. */
const log = (line: string): void => void process.stderr.write(`${line}\n`);

function fail(reason: string, closing: string): never {
  log(`srv  E ${reason}`);
  log(`srv  E main: exiting due to ${closing}`);
  process.exit(1);
}

/** Says what is wrong with a file in the words that llama.cpp has for it. */
function loadFailure(path: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (!existsSync(path)) return `failed to open GGUF file '${path}' (No such file or directory)`;
  if (/magic/i.test(text)) return `invalid magic characters, expected 'GGUF': ${path}`;
  if (/failed to load model/i.test(text)) return `model is corrupted or incomplete: ${path}`;
  return `error loading model: ${text}`;
}

function dieWithParent(): void {
  const parentPid = process.ppid;
  setInterval(() => process.ppid !== parentPid && process.exit(1), PARENT_CHECK_MS).unref();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => {
      log('srv  I main: cleaning up before exit...');
      process.exit(0);
    });
}

dieWithParent();
const args = parseArguments(process.argv.slice(2), process.env);
if (args.ignored.length > 0) log(`srv  W main: the embedded runner ignores: ${args.ignored.join(' ')}`);
let engine: Engine | null = null;
const server = createRunnerServer(args, () => engine);
server.on('error', () =>
  fail(`couldn't bind HTTP server socket, hostname: ${args.host}, port: ${args.port}`, 'HTTP server error'),
);
// As llama-server does: a name that ends with `.sock` is that of a Unix socket.
const isSocket = args.host.endsWith('.sock');
const address = isSocket ? `unix://${args.host}` : `http://${args.host}:${args.port}`;
server.listen(isSocket ? { path: args.host } : { port: args.port, host: args.host }, () => {
  loadEngine(args, log).then(
    (loaded) => {
      engine = loaded;
      log('srv  I main: model loaded');
      log(`srv  I main: listening on ${address}`);
    },
    (error: unknown) => fail(loadFailure(args.modelPath, error), 'model loading error'),
  );
});
