import type { CatalogueEntry } from '../catalogue.ts';
import type { Config } from '../config/schema.ts';
import type { NeededConsent } from '../management/schemas.ts';
import { urlOf } from '../url-of.ts';

/** A configuration and the models that it makes. */
export interface Resulting {
  readonly config: Pick<Config, 'keys' | 'listen'>;
  readonly entries: readonly CatalogueEntry[];
}

const MOST_NAMED = 10;

/**
 * What has to be said before a new configuration counts. One that opens Corral to everybody, or takes most of its models away, is more
 * often a file that was cut off, emptied or mounted wrongly than somebody's wish.
 */
export const neededConsents = (before: Resulting, after: Resulting): readonly NeededConsent[] => [
  ...keysDropped(before, after),
  ...mostModelsGone(before, after),
];

function keysDropped({ config: was }: Resulting, { config: is }: Resulting): NeededConsent[] {
  if (Object.keys(was.keys).length === 0 || Object.keys(is.keys).length > 0) return [];
  const url = urlOf(was.listen.tls ? 'https' : 'http', was.listen.host, was.listen.port);
  return [
    {
      consent: 'dropKeys',
      reason: `it has no keys any more: everybody who reaches ${url} could use and manage this Corral`,
    },
  ];
}

/**
 * A model whose file has gone is of no use either: a folder may not be mounted. As many that come instead are a change of names, which
 * no broken file makes.
 */
function mostModelsGone({ entries: before }: Resulting, { entries: after }: Resulting): NeededConsent[] {
  const is = new Map(after.map((entry) => [entry.name, entry]));
  const gone = before.filter(({ name, spec }) => {
    const now = is.get(name);
    return now === undefined || (spec !== null && now.spec === null);
  });
  const left = after.length - gone.filter(({ name }) => is.has(name)).length;
  if (gone.length * 2 <= before.length || left >= before.length) return [];
  const more = gone.length > MOST_NAMED ? ` and ${gone.length - MOST_NAMED} more` : '';
  const names = gone.slice(0, MOST_NAMED).map(({ name }) => name);
  const reason = `${gone.length} of ${before.length} models would go: ${names.join(', ')}${more}`;
  return [{ consent: 'force', reason }];
}

const FLAGS = { dropKeys: '--drop-keys', force: '--force' } as const;

/** How to say that it is meant, on the command line. */
export const commandFor = (needed: readonly NeededConsent[]): string =>
  ['corral reload', ...needed.map(({ consent }) => FLAGS[consent])].join(' ');
