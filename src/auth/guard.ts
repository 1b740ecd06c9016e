import type { Config } from '../config/schema.ts';
import { badRequest, RequestError, type HttpProblem } from '../http/openai-errors.ts';
import { HostNames } from './host-names.ts';
import { KeyRates } from './key-rates.ts';
import { Keyring, type KnownKey } from './keyring.ts';
import { Origins, type Asked } from './origins.ts';
import { presentedKey } from './presented-key.ts';
import { scopes, type Needs, type Scope } from './scopes.ts';

/** The part of the configuration that says who may call. */
export type AccessConfig = Pick<Config, 'keys'> & {
  readonly listen: Pick<Config['listen'], 'host' | 'allowedHosts' | 'allowedOrigins'>;
  readonly limits: Pick<Config['limits'], 'requestsPerMinute'>;
};

/** Who calls. */
export interface Caller {
  /** Null where none is asked for. */
  readonly key: KnownKey | null;
  readonly scopes: readonly Scope[];
}

/** What else is known, or asked, of a request. */
export interface Admission {
  /** It is of a page that may call here though it is not listed. */
  readonly isTrustedPage?: boolean;
  /** One of these is needed as well. */
  readonly besides?: Needs;
}

/** Decides who may come in. */
export interface Guard {
  /**
   * Lets a request in that may do one of `needs`, and one of `besides` where that is asked as well, and counts it. Rejects
   * with a `RequestError` for a name or a page that is not ours (403), for a key that is missing or unknown (401), may not do
   * this (403), or has asked too much (429).
   */
  admit(request: Asked, needs: Needs, more?: Admission): Promise<Caller>;
  /** Whether pages of this origin may call, and read what is answered. */
  listsOrigin(origin: string): boolean;
  /** Whether this caller would still come in: keys come and go with the configuration. */
  stillKnows(caller: Caller): boolean;
}

const nobody: Caller = { key: null, scopes: [] };
const everybody: Caller = { key: null, scopes };

/** The guard of a configuration, which is asked for each time, since it may be replaced. */
export function createGuard(config: () => AccessConfig): Guard {
  const rates = new KeyRates();
  let current = accessOf(config());
  const access = (): Access => {
    const wanted = config();
    if (wanted !== current.config) current = accessOf(wanted);
    return current;
  };
  return {
    admit: async (request, needs, { isTrustedPage = false, besides = null } = {}) => {
      const {
        config: { limits },
        hosts,
        origins,
        keyring,
      } = access();
      const { headers } = request;
      if (!hosts.has(headers.host)) throw new RequestError(otherHost(headers.host));
      if (!isTrustedPage && origins.refuses(request, needs === null))
        throw new RequestError(otherOrigin(headers.origin));
      if (keyring.isEmpty) return everybody;
      if (needs === null) return nobody;
      const key = known(keyring, presentedKey(headers));
      for (const asked of [needs, besides])
        if (asked && !asked.some((scope) => key.scopes.includes(scope)))
          throw new RequestError(lacksScope(key, asked));
      const waitSeconds = await rates.take(key.name, key.requestsPerMinute ?? limits.requestsPerMinute);
      if (waitSeconds > 0) throw new RequestError(tooMany(key, waitSeconds));
      return { key, scopes: key.scopes };
    },
    listsOrigin: (origin) => access().origins.lists(origin),
    stillKnows: ({ key }) => {
      const { keyring } = access();
      return key === null ? keyring.isEmpty : keyring.has(key);
    },
  };
}

interface Access {
  readonly config: AccessConfig;
  readonly hosts: HostNames;
  readonly origins: Origins;
  readonly keyring: Keyring;
}

const accessOf = (config: AccessConfig): Access => ({
  config,
  hosts: new HostNames(config.listen.host, config.listen.allowedHosts),
  origins: new Origins(config.listen.allowedOrigins),
  keyring: new Keyring(config.keys),
});

function known(keyring: Keyring, presented: string | null): KnownKey {
  if (presented === null) throw new RequestError(missingKey);
  const key = keyring.find(presented);
  if (!key) throw new RequestError(wrongKey);
  return key;
}

// The challenges are those of RFC 6750, section 3.
const missingKey: HttpProblem = {
  ...badRequest('A key is needed: send it as `Authorization: Bearer KEY`.', 'missing_api_key'),
  status: 401,
  type: 'authentication_error',
  challenge: 'Bearer realm="corral"',
};
const wrongKey: HttpProblem = {
  ...badRequest('This key is not known here.', 'invalid_api_key'),
  status: 401,
  type: 'authentication_error',
  challenge: 'Bearer realm="corral", error="invalid_token"',
};

const lacksScope = ({ name, scopes: has }: KnownKey, needs: readonly Scope[]): HttpProblem => ({
  ...badRequest(
    `The key '${name}' may not do this: it has ${has.join(', ')}, and ${needs.join(' or ')} is needed.`,
    'forbidden',
  ),
  status: 403,
  type: 'permission_error',
  challenge: `Bearer realm="corral", error="insufficient_scope", scope="${needs.join(' ')}"`,
});

const tooMany = ({ name }: KnownKey, retryAfterSeconds: number): HttpProblem => ({
  ...badRequest(`The key '${name}' has had all its requests of this minute.`, 'rate_limit_exceeded'),
  status: 429,
  type: 'rate_limit_error',
  retry: true,
  retryAfterSeconds,
});

const otherHost = (host = ''): HttpProblem => ({
  ...badRequest(
    `Corral is not reached as ${JSON.stringify(host)} here. If it should be, add the name to listen.allowedHosts.`,
    'host_not_allowed',
  ),
  status: 403,
  type: 'permission_error',
});

const otherOrigin = (origin = 'another origin'): HttpProblem => ({
  ...badRequest(
    `Pages of ${origin} may not call. If they should, add the origin to listen.allowedOrigins.`,
    'other_origin',
  ),
  status: 403,
  type: 'permission_error',
});
