import { stat } from 'node:fs/promises';
import type { LaunchOptions } from '../../../machines/vocabulary.ts';
import { readFileTextAsync } from '../../files/read-file.ts';
import type { ModelDetails } from './model-details.ts';

/** The templates of files that arguments name, read anew when they change. */
export class TemplateFiles {
  readonly #known = new Map<string, { readonly mark: string; readonly text: string }>();

  /** Null when it cannot be read. */
  async read(path: string): Promise<string | null> {
    try {
      const { size, mtimeMs } = await stat(path);
      const mark = `${size} ${mtimeMs}`;
      const known = this.#known.get(path);
      if (known?.mark === mark) return known.text;
      const text = await readFileTextAsync(path);
      this.#known.set(path, { mark, text });
      return text;
    } catch {
      return null;
    }
  }
}

/**
 * The text that decides what a runner can show to its model: the template of its arguments, else those of its file. Empty when
 * there is none, and for a template that llama-server only knows by name.
 */
export async function chatTemplateOf(
  { runtime, extraArgs }: LaunchOptions,
  details: ModelDetails | null,
  files: TemplateFiles,
): Promise<string> {
  const at = runtime !== 'llama-server' ? -1 : extraArgs.findLastIndex((one) => TEMPLATE_FLAGS.has(one));
  const value = extraArgs[at + 1];
  if (at >= 0 && value !== undefined) {
    if (extraArgs[at] === FILE_FLAG) return (await files.read(value)) ?? '';
    return value.includes('{') ? value : '';
  }
  return details?.chatTemplate ?? '';
}

const FILE_FLAG = '--chat-template-file';
const TEMPLATE_FLAGS = new Set([FILE_FLAG, '--chat-template']);
