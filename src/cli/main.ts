#!/usr/bin/env node
import { ConfigError } from '../config/config-error.ts';
import { systemReason } from '../system-reason.ts';
import { stderr } from '../terminal/print.ts';
import { createProgram } from './program.ts';

/** Exit codes: 0 well, 1 failed, 2 a configuration that cannot be used. */
const UNUSABLE = 2;

const program = await createProgram(process.argv.slice(2));

try {
  await program.parseAsync();
} catch (error) {
  stderr.write(`${textOf(error)}\n`);
  process.exitCode = error instanceof ConfigError ? UNUSABLE : 1;
}

/** Of a file that could not be read or written, which and why; any other error says so itself. */
function textOf(error: unknown): string {
  const isOfFile = error instanceof Error && 'syscall' in error && 'path' in error;
  return isOfFile ? `${String(error.path)}: ${systemReason(error)}` : systemReason(error);
}
