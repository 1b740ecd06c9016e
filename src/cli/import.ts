import { existsSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { readText } from '../config/read-text.ts';
import { importLlamaSwap, type Imported } from '../import/import-llama-swap.ts';
import { writeImported } from '../import/write-imported.ts';
import { stderr, stdout } from '../terminal/print.ts';

interface ImportFlags {
  readonly output?: string;
  readonly force?: boolean;
}

/** `corral import`: the configuration of another program as a corral.yaml. */
export const importCommand = (): Command =>
  new Command('import').description('convert the configuration of another program').addCommand(llamaSwap());

const llamaSwap = (): Command =>
  new Command('llama-swap')
    .description('convert a llama-swap configuration, and say what could not be carried over')
    .argument('<file>', "llama-swap's config.yaml")
    .option('-o, --output <file>', 'write it there instead of printing it')
    .option('--force', 'overwrite a file that is there')
    .addHelpText(
      'after',
      `
Examples:
  corral import llama-swap config.yaml                    print the corral.yaml
  corral import llama-swap config.yaml -o corral.yaml     write it; then look at it, and run: corral check`,
    )
    .action((file: string, { output, force }: ImportFlags) => {
      const imported = convert(file);
      const text = writeImported(imported);
      stderr.write(summaryOf(imported));
      if (output === undefined) return stdout.writeData(text);
      write(output, text, force ?? false);
      stderr.write(`wrote ${output}\n`);
    });

function convert(file: string): Imported {
  const text = readText(file);
  try {
    return importLlamaSwap(text, process.env);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} is no llama-swap configuration that can be read: ${reason}`, { cause: error });
  }
}

function write(path: string, text: string, force: boolean): void {
  // 'wx' refuses a file that has come into being since the question.
  if (!force && existsSync(path)) throw new Error(`${path} is there already; --force overwrites it.`);
  writeFileSync(path, text, { flag: force ? 'w' : 'wx' });
}

function summaryOf({ config, notes, modelNotes }: Imported): string {
  const kept = Object.keys(config.models ?? {}).length;
  const byModel = [...modelNotes].flatMap(([id, told]) => told.map((note) => `${id}: ${note}`));
  const lines = [...notes, ...byModel].map((note) => `note: ${note}`);
  return `${[...lines, `${kept} of ${modelNotes.size} models carried over`].join('\n')}\n`;
}
