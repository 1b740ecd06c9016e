#!/usr/bin/env node
import { ConfigError } from '../config/config-error.ts';
import { createProgram } from './program.ts';

/** Exit codes: 0 well, 1 failed, 2 a configuration that cannot be used. */
const UNUSABLE = 2;

const program = await createProgram(process.argv.slice(2));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? UNUSABLE : 1;
}
