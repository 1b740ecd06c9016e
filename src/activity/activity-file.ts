import { join } from 'node:path';
import { GrowingFile } from '../../actors/disk/growing-file.ts';
import type { DiskTrouble } from '../../actors/disk/in-background.ts';
import type { Activity } from './activity.ts';

/** At this size a new file is begun, and so many full ones are kept beside it. */
const SIZE_BYTES = 10 * 1024 ** 2;
const KEEP = 2;
const LAST_WRITE_WITHIN_MS = 2_000;

/** Writes each request to `activity/requests.log` in a folder, a JSON object per line; the answer ends it, once all is written. */
export function writeActivity(
  activity: Activity,
  { folder, trouble }: { readonly folder: string; readonly trouble: DiskTrouble },
): () => Promise<void> {
  const file = new GrowingFile({
    folder: join(folder, 'activity'),
    name: 'requests',
    size: SIZE_BYTES,
    keep: KEEP,
    trouble,
    onBegunAnew: () => {},
  });
  const end = activity.subscribe((row) => file.add(`${JSON.stringify(row)}\n`));
  return async () => {
    end();
    await file.close(LAST_WRITE_WITHIN_MS);
  };
}
