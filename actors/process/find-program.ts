import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import type { ProcessSpec } from '../../machines/effects.ts';
import { programFile } from './start-of.ts';

/** Makes sure that the program of a runner is there. Throws the system's error where it is not, or cannot be run. */
export function findProgram(spec: Pick<ProcessSpec, 'launch'>, env: NodeJS.ProcessEnv): void {
  const file = programFile(spec);
  if (file === null) return;
  const { launch } = spec;
  const folder = launch.runtime === 'command' ? launch.program.folder : null;
  const places = placesOf(file, folder, env);
  if (!places.some(isRunnable)) accessSync(places[0] ?? file, constants.X_OK);
}

/** A name without a slash is looked for in PATH, as the system does. */
function placesOf(file: string, folder: string | null, env: NodeJS.ProcessEnv): readonly string[] {
  if (isAbsolute(file)) return [file];
  if (file.includes('/')) return [resolve(folder ?? '.', file)];
  return (env['PATH'] ?? '').split(delimiter).map((one) => join(one, file));
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
