import type { IncomingMessage } from 'node:http';

/** What is looked at. */
export type Asked = Pick<IncomingMessage, 'method' | 'headers'>;

/**
 * Which web pages may call. Any page in a browser can send requests to 127.0.0.1, some of them without asking first; browsers say
 * which page it is. Programs do not, and may.
 */
export class Origins {
  readonly #listed: ReadonlySet<string>;

  constructor(allowed: readonly string[]) {
    this.#listed = new Set(allowed.map((origin) => origin.toLowerCase()));
  }

  /** Whether pages of this origin are listed: `https://chat.example.org`, or all of `app://*`. */
  lists(origin: string): boolean {
    if (this.#listed.size === 0) return false;
    const plain = origin.toLowerCase();
    return this.#listed.has(plain) || this.#listed.has(plain.replace(/\/\/.*/s, '//*'));
  }

  /** Whether a request comes from a page that is neither Corral's own nor listed. Links may be followed to what is for everybody. */
  refuses(request: Asked, isForEverybody: boolean): boolean {
    const { origin, host, 'sec-fetch-site': site } = request.headers;
    if (origin === undefined && site === undefined) return false;
    if (origin !== undefined && this.lists(origin)) return false;
    if (site !== undefined)
      return site !== 'same-origin' && site !== 'none' && !(isForEverybody && isFollowedLink(request));
    return !(origin !== undefined && URL.canParse(origin) && new URL(origin).host === host);
  }
}

/** Somebody follows a link, or reloads: what comes is shown, and the page with the link sees nothing of it. */
const isFollowedLink = ({ method, headers }: Asked): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  headers.origin === undefined &&
  headers['sec-fetch-mode'] === 'navigate' &&
  headers['sec-fetch-dest'] === 'document';
