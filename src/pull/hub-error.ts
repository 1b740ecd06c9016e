/** The hub, or the way there, failed. */
export class HubError extends Error {
  override readonly name = 'HubError';
  /** Whether it may go well another time. */
  readonly isPassing: boolean;
  /** How long the hub asks to be left alone. */
  readonly retryAfterMs: number | null;

  constructor(
    message: string,
    { isPassing = false, retryAfterMs = null }: { isPassing?: boolean; retryAfterMs?: number | null } = {},
  ) {
    super(message);
    this.isPassing = isPassing;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a status means for somebody who wants a file. */
export function problemOf(
  status: number,
  retryAfter: string | undefined,
  { hasToken, address }: { readonly hasToken: boolean; readonly address: string },
): HubError {
  const { host, pathname } = new URL(address);
  const what = `${host} answers ${status} to ${pathname}`;
  if (status === 401 || status === 403) {
    const advice = hasToken
      ? "HF_TOKEN may not read it; a gated model's conditions are accepted on its page"
      : 'it needs a token in HF_TOKEN, or it is not there';
    return new HubError(`${what}: ${advice}.`);
  }
  if (status === 404) return new HubError(`${what}: there is no such model or file.`);
  if (status === 429)
    return new HubError(`${what}: too many requests.`, {
      isPassing: true,
      retryAfterMs: retryAfterMs(retryAfter, Date.now()),
    });
  return new HubError(`${what}.`, {
    isPassing: status >= 500 || status === 408,
    retryAfterMs: retryAfterMs(retryAfter, Date.now()),
  });
}

/** `Retry-After` in seconds or as a date; null when it says neither. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1_000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}

const PASSING = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EAI_AGAIN',
]);

/** Whether the same may go well another time: a lost connection, an overloaded hub; not a full disk. */
export const isPassing = (error: unknown): boolean =>
  error instanceof HubError
    ? error.isPassing
    : error instanceof Error && 'code' in error && PASSING.has(String(error.code));
