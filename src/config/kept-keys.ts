import { z } from 'zod';
import { count, duration, path, size } from './scalars.ts';

/** Keys of what is kept of runners and requests, in memory and on disk. */
export const keptKeys = {
  history: duration({ least: '0' })
    .default(600_000)
    .describe(
      'How long what happened is kept in memory, 16MiB at most, so that a page that is opened shows what was before; 0 for not at all.',
    ),
  runnerLogs: z
    .strictObject({
      write: z.boolean().default(true).describe('Whether they are written.'),
      size: size({ least: '1KiB', most: '1TiB' })
        .default(10 * 1024 ** 2)
        .describe('At this size a new file is begun.'),
      keep: count(1_000).default(2).describe('Full files kept per model, beside the one that is written.'),
      total: size()
        .default(500 * 1024 ** 2)
        .describe('All files together; the oldest go first.'),
    })
    .prefault({})
    .describe('What runners print, in dataFolder/logs, a file per model.'),
  activity: z
    .strictObject({
      keep: z
        .int()
        .min(0)
        .max(100_000)
        .default(1_000)
        .describe('How many of the last requests are kept in memory, without what they said.'),
      write: z
        .boolean()
        .default(false)
        .describe('Whether each request is written to dataFolder/activity too, a JSON object per line.'),
      bodies: size({ least: '0', most: '1GiB' })
        .default(0)
        .describe(
          'For finding faults: what requests said and were answered is kept in memory, so much of it; the oldest go first, of each body 256KiB at most. Who manages may read it.',
        ),
    })
    .prefault({})
    .describe('What was asked lately; see docs/management.md.'),
  conversations: z
    .strictObject({
      keep: z
        .boolean()
        .default(true)
        .describe(
          'Whether what a model has computed of long conversations is kept on disk when it is unloaded, where that saves time.',
        ),
      folder: path
        .optional()
        .describe('Where; /dev/shm/corral is in memory. Default: conversations in dataFolder.'),
      size: size()
        .default(20 * 1024 ** 3)
        .describe('All of them together; the oldest go first.'),
      age: duration()
        .default(7 * 86_400_000)
        .describe('Older ones are not read any more, and removed.'),
    })
    .prefault({})
    .describe('Conversations that survive an eviction; see docs/conversations.md.'),
};
