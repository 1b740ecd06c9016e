import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { badRequest, RequestError } from './openai-errors.ts';

/** Larger pieces than zlib's own: each that is held is charged for. */
const chunkSize = 64 * 1024;
/** `ZSTD_d_windowLogMax` of zstd.h. */
const WINDOW_LOG_MAX = 100;
/** The window that RFC 8878 asks every decoder to have; with more a small request could take much memory. */
const MOST_WINDOW_LOG = 23;

/** What Node has from 22.15 on; its types here are those of the oldest version that Corral runs on. */
interface WithZstd {
  readonly createGunzip: typeof zlib.createGunzip;
  readonly createZstdDecompress?: (options: object) => Transform;
}
const { createZstdDecompress }: WithZstd = zlib;

/** By the names that `Content-Encoding` has for them. */
const decoders: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', () => zlib.createGunzip({ chunkSize })],
  ['x-gzip', () => zlib.createGunzip({ chunkSize })],
  ['deflate', () => zlib.createInflate({ chunkSize })],
  ...(createZstdDecompress
    ? [
        [
          'zstd',
          () => createZstdDecompress({ chunkSize, params: { [WINDOW_LOG_MAX]: MOST_WINDOW_LOG } }),
        ] as const,
      ]
    : []),
]);

/**
 * What makes a request's body plain again; null for one that is plain. From then on the request counts as one that came plain. Throws a
 * `RequestError` (415) for an encoding that cannot be read here.
 */
export const decoderFor = ({ headers }: IncomingMessage): Transform | null => {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return null;
  const create = decoders.get(encoding);
  if (!create) throw new RequestError(notRead(encoding));
  delete headers['content-encoding'];
  return create();
};

const notRead = (encoding: string) => {
  const known = [...decoders.keys()].filter((name) => name !== 'x-gzip').join(', ');
  const why =
    encoding === 'zstd'
      ? ` Corral reads zstd on Node.js 22.15 and later, and runs on ${process.version}.`
      : '';
  return badRequest(
    `A request body in the encoding ${JSON.stringify(encoding.slice(0, 40))} cannot be read here.${why} Send it plain, or in one of: ${known}.`,
    'encoding',
    { status: 415 },
  );
};

/** For bytes that are not what their encoding says. */
export const notDecoded = (): RequestError =>
  new RequestError(
    badRequest('The request body cannot be decompressed: it is damaged, or cut off.', 'invalid_encoding'),
  );
