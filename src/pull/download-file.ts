import { HubError } from './hub-error.ts';
import { askHub, one, type Hub, type HubAnswer } from './hub.ts';
import { PartFile, type Expected } from './part-file.ts';
import { withRetries, type Patience } from './with-retries.ts';

export interface Download extends Patience {
  readonly hub: Hub;
  readonly address: string;
  /** The file to write; its folder is there. */
  readonly target: string;
  readonly expected: Expected;
  /** Told how many bytes of the file are there. */
  readonly onProgress: (bytes: number) => void;
}

/**
 * Downloads one file. It goes on where an earlier download was broken off, if the file has not changed since; it appears under
 * its name only once its SHA-256 is right. Throws a `HubError`, or an Error about the file.
 */
export async function downloadFile(download: Download): Promise<void> {
  const part = await PartFile.open(download.target, download.expected);
  try {
    await withRetries(
      () => (part.isWhole ? Promise.resolve() : fetchRest(part, download)),
      download,
      () => part.bytes,
    );
    await part.finish();
  } finally {
    await part.close();
  }
}

async function fetchRest(
  part: PartFile,
  { hub, address, expected, signal, onProgress }: Download,
): Promise<void> {
  const from = part.etag === null ? 0 : part.bytes;
  // A file that has changed is answered with all of it (200) instead of the rest (206).
  const headers = from > 0 && part.etag !== null ? { range: `bytes=${from}-`, 'if-range': part.etag } : {};
  const answer = await askHub(hub, address, { headers, signal });
  try {
    if (!isRest(answer, from, part.etag, expected.bytes)) {
      await part.restart(one(answer.headers['etag']));
      if (answer.status !== 200)
        throw new HubError('the hub has another file now, or takes no ranges.', { isPassing: true });
    }
    onProgress(part.bytes);
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      await part.append(chunk);
      onProgress(part.bytes);
    }
  } catch (error) {
    // Whatever the body has left is of no use; its own error has been thrown already, or is about this ending.
    answer.body.on('error', () => undefined).destroy();
    throw error;
  }
  if (!part.isWhole)
    throw new HubError(`the connection ended at ${part.bytes} of ${expected.bytes} bytes.`, {
      isPassing: true,
    });
}

/** Whether an answer holds just what is missing. */
function isRest({ status, headers }: HubAnswer, from: number, etag: string | null, bytes: number): boolean {
  if (status !== 206 || from === 0) return false;
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(one(headers['content-range']) ?? '') ?? [];
  const version = one(headers['etag']) ?? etag;
  return Number(start) === from && (total === '*' || Number(total) === bytes) && version === etag;
}
