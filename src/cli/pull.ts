import { join, sep } from 'node:path';
import { Command } from 'commander';
import { pathOf } from '../config/path-of.ts';
import { folderOf } from '../config/resolve-models.ts';
import { pullWithProgress } from '../pull/pull-with-progress.ts';
import { dataFolderOf } from '../serve.ts';
import { stdout } from '../terminal/print.ts';
import { configOf } from './context.ts';

interface PullFlags {
  readonly to?: string;
  readonly projector?: boolean;
  readonly force?: boolean;
}

/** `corral pull`: a model from the Hugging Face hub. */
export const pullCommand = (): Command =>
  new Command('pull')
    .description('download a GGUF model from the Hugging Face hub')
    .argument('<model>', 'hf:user/repo, or hf:user/repo:Q4_K_M')
    .option('--to <dir>', "the folder for models (default: the first of the configuration's folders)")
    .option('--projector', 'pull the projector (mmproj) of a model that sees too')
    .option('--force', 'pull anew what is there already')
    .addHelpText(
      'after',
      `
A pull that was broken off goes on where it was. HF_TOKEN opens gated models, HF_ENDPOINT names another hub.

Examples:
  corral pull hf:Qwen/Qwen3-8B-GGUF                 Q4_K_M, or what is nearest to it
  corral pull hf:Qwen/Qwen3-8B-GGUF:Q8_0 --to ~/models`,
    )
    .action(async (reference: string, { to, projector, force }: PullFlags, command: Command) => {
      const { folder, isScanned } = folderFor(to, command);
      const { pulled, view } = await pullWithProgress({
        reference,
        folder,
        withProjector: projector ?? false,
        force: force ?? false,
      });
      stdout.write(`${pulled.paths.join('\n')}\n`);
      if (pulled.projector !== null && !projector)
        view.say(`It sees with ${pulled.projector}: --projector pulls that too.`);
      view.say(
        isScanned
          ? `From the next reload Corral serves it as ${pulled.model}; where \`watch\` is on, by itself.`
          : `To serve it, add the folder to corral.yaml:\n  folders: [${folder}]`,
      );
    });

/** Where models go, and whether Corral finds them there. */
function folderFor(to: string | undefined, command: Command): { folder: string; isScanned: boolean } {
  const { config, path } = configOf(command);
  const scanned = config.folders.map((folder) => pathOf(folderOf(path), folder));
  const folder =
    to === undefined
      ? (scanned[0] ?? join(dataFolderOf(config, path, process.env), 'models'))
      : pathOf(process.cwd(), to);
  return { folder, isScanned: scanned.some((one) => folder === one || folder.startsWith(one + sep)) };
}
