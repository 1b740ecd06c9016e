import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateGguf } from '../../src/models/generate-gguf.ts';
import { modelsOf, type Workload } from './workload.ts';

/** Requests that each runner serves at a time, and tokens that each may use: the same for all contenders. */
export const SLOTS = 4;
export const CONTEXT_TOKENS = 512;

export interface StageModel {
  readonly name: string;
  readonly path: string;
}

/** What all contenders of one race are given. */
export interface Stage {
  /** Theirs to write into; gone after the race. */
  readonly folder: string;
  readonly models: readonly StageModel[];
  /** How many of the models may be in memory at a time. */
  readonly room: number;
  /** What they take for llama-server; notes each load. */
  readonly program: string;
  /** llama-server itself; null when the runner is a fake. */
  readonly realServer: string | null;
  readonly env: NodeJS.ProcessEnv;
}

/** The runner of a race. */
export interface Runner {
  readonly name: string;
  /** The program and its first arguments. */
  readonly command: readonly [file: string, ...args: string[]];
  readonly env: NodeJS.ProcessEnv;
  readonly realServer: string | null;
  /** Files for the models in order; empty: such are made up. */
  readonly modelFiles: readonly string[];
}

/** Throws when the runner has fewer models than the workload asks for. */
export async function openStage(workload: Workload, runner: Runner): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'corral-race-'));
  const models: StageModel[] = [];
  for (const [seed, name] of modelsOf(workload).entries()) {
    const path = runner.modelFiles[seed] ?? join(folder, `${name}.gguf`);
    if (runner.modelFiles[seed] === undefined) await generateGguf(path, { seed, name });
    models.push({ name, path });
  }
  const program = join(folder, 'llama-server');
  const command = runner.command.map((part) => `'${part}'`).join(' ');
  writeFileSync(
    program,
    `#!/bin/sh\ncase " $* " in *" --model "*|*" -m "*) echo load >>'${loadsFile(folder)}';; esac\nexec ${command} "$@"\n`,
  );
  chmodSync(program, 0o755);
  const { env, realServer } = runner;
  return { folder, models, room: workload.room, program, realServer, env };
}

export const closeStage = ({ folder }: Stage): void => rmSync(folder, { recursive: true, force: true });

const loadsFile = (folder: string): string => join(folder, 'loads');

/** How often a runner was started with a model. */
export function loadsOn({ folder }: Stage): number {
  try {
    return readFileSync(loadsFile(folder), 'utf8').split('\n').length - 1;
  } catch {
    return 0; // nothing was loaded
  }
}
