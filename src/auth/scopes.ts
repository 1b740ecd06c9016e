/**
 * What a key may be allowed. None implies another: a key that manages and asks models has both.
 *
 * | | `inference` | `read` | `manage` |
 * | --- | --- | --- | --- |
 * | asks models | yes | | |
 * | sees which models there are | yes | yes | |
 * | sees what runs, who waits, decisions, metrics, what runners print | | yes | |
 * | has a model loaded | by asking it; `autoload=true` | | by command; `autoload=true` |
 * | has a model unloaded | by `keep_alive`, once nobody uses it; not a pinned one | | by command |
 * | pins and unpins, stops, drains, reloads | | | yes |
 * | goes before others in line | as far as its key or the model goes | | yes, by `X-Corral-Priority` |
 */
export const scopes = ['inference', 'read', 'manage'] as const;

export type Scope = (typeof scopes)[number];

/** What a route asks of a key: one of these scopes; null where none is asked for. */
export type Needs = readonly Scope[] | null;

/** What is asked besides where a model may be loaded: seeing is not loading. */
export const loading: Needs = ['inference', 'manage'];

/** Any key will do. */
export const anyKey: Needs = scopes;
