import { Command } from 'commander';
import { ConversationFolder } from '../../actors/conversations/conversation-folder.ts';
import { formatBytes } from '../../machines/vocabulary.ts';
import { conversationRootOf } from '../conversation-root.ts';
import { stdout } from '../terminal/print.ts';
import { configOf, printJson } from './context.ts';

/** `corral forget [MODEL]`: what was kept of conversations is removed from the disk. */
export const forgetCommand = (): Command =>
  new Command('forget')
    .description('remove what is kept of conversations, of all models or of one')
    .argument('[model]', 'its name')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
When a model is unloaded, what it has computed of long conversations is kept on disk (conversations in corral.yaml), and read again
when it is loaded. This removes it. Models that are loaded keep what they have in memory, and it is kept again when they are unloaded:
unload them first, or set conversations.keep to false.

Examples:
  corral forget                   of all models
  corral forget tiny-chat         of this one`,
    )
    .action(async (name: string | undefined, { json }: { json?: boolean }, command: Command) => {
      const { config, path } = configOf(command);
      const root = conversationRootOf(config, path, process.env);
      const { size, age } = config.conversations;
      const folder = new ConversationFolder(root, { mostBytes: size, mostAgeMs: age });
      const bytes = await folder.forget(name);
      if (json) return printJson({ model: name ?? null, bytes });
      stdout.write(
        bytes === 0 ? 'Nothing was kept.\n' : `${formatBytes(bytes)} of conversations have been removed.\n`,
      );
    });
