import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** File systems take 255 bytes; a number and an ending come behind. */
const LONGEST_NAME = 180;

/** Where what runners print is written, below the data folder. */
export const runnerLogFolder = (dataFolder: string): string => join(dataFolder, 'logs');

/** The file of a model's runners, without its ending; names of models may be long, and hold what names of files may not. */
export function runnerLogName(model: string): string {
  const name = encodeURIComponent(model).replaceAll('*', '%2A').replace(/^\./, '%2E');
  if (name.length <= LONGEST_NAME) return name;
  return `${name.slice(0, LONGEST_NAME)}-${createHash('sha256').update(model).digest('hex').slice(0, 8)}`;
}
