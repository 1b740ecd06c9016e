import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../race/stage.ts';

/** A moment in the life of a runner's process, in ms since 1970. */
export interface Moment {
  readonly what: 'start' | 'ready' | 'exit';
  readonly atMs: number;
}

const notesFile = (stage: Stage): string => join(stage.folder, 'moments');

/**
 * Makes a stage's program one that notes when it starts, when it says that it listens, and when it has ended. Nobody but this program
 * knows these moments, so what is measured between them holds all that Corral needs to see and do. bash has the time without another process.
 */
export function noteMoments(stage: Stage, command: readonly string[]): void {
  const quoted = command.map((part) => `'${part}'`).join(' ');
  const notes = `'${notesFile(stage)}'`;
  writeFileSync(
    stage.program,
    `#!/usr/bin/env bash
case " $* " in *" --model "*) ;; *) exec ${quoted} "$@";; esac
trap '' TERM
echo "start $EPOCHREALTIME" >>${notes}
${quoted} "$@" 2>&1 | while IFS= read -r line; do
  case $line in *"listening on"*) echo "ready $EPOCHREALTIME" >>${notes};; esac
  printf '%s\\n' "$line"
done
echo "exit $EPOCHREALTIME" >>${notes}
`,
  );
  chmodSync(stage.program, 0o755);
}

/** What the program has noted so far, in order. */
export const momentsOf = (stage: Stage): Moment[] =>
  readFileSync(notesFile(stage), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [what, seconds] = line.split(' ');
      return { what: what as Moment['what'], atMs: Number(seconds?.replace(',', '.')) * 1_000 };
    });
