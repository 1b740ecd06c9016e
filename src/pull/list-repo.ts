import { z } from 'zod';
import { HubError } from './hub-error.ts';
import { askHub, one, type Hub, type HubAnswer } from './hub.ts';

const MOST_PAGES = 50;
const LONGEST_PAGE_BYTES = 16 * 1024 ** 2;

const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.number().int().min(0),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().min(0) }).optional(),
});

export interface RepoFile {
  /** Below the repository, with `/`; safe to be joined to a folder. */
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal; null for the small files that the hub does not keep by their content. */
  readonly sha256: string | null;
}

/** All files of a repository's main branch. Throws a `HubError`. */
export async function listRepo(hub: Hub, repo: string, signal: AbortSignal): Promise<readonly RepoFile[]> {
  const files: RepoFile[] = [];
  let address: string | null = `${hub.endpoint}/api/models/${repo}/tree/main?recursive=1`;
  for (let page = 0; address !== null; page++) {
    if (page === MOST_PAGES) throw new HubError(`${repo} has too many files.`);
    const answer: HubAnswer = await askHub(hub, address, { signal });
    files.push(...parseTree(await readText(answer)));
    address = nextPage(one(answer.headers['link']), address);
  }
  return files;
}

/** Reads one page of the hub's list. Files whose path would lead elsewhere are left out. Throws a `HubError`. */
export function parseTree(text: string): readonly RepoFile[] {
  const parsed = z.array(entrySchema).safeParse(parseJson(text));
  if (!parsed.success) throw new HubError("the hub's list of files is not what was expected.");
  return parsed.data
    .filter(({ type, path }) => type === 'file' && isSafe(path))
    .map(({ path, size, lfs }) => ({ path, bytes: lfs?.size ?? size, sha256: lfs?.oid ?? null }));
}

/** No way out of the folder, and nothing that a terminal or a reader would take for something else than a name. */
const isSafe = (path: string): boolean =>
  !/[\\:\p{Cc}\p{Cf}\u2028\u2029]/u.test(path) &&
  path.split('/').every((part) => !['', '.', '..'].includes(part));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function readText({ body }: HubAnswer): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LONGEST_PAGE_BYTES) throw new HubError("the hub's list of files does not end.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function nextPage(link: string | undefined, address: string): string | null {
  const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
  return next !== undefined && URL.canParse(next, address) ? new URL(next, address).href : null;
}
