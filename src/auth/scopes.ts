/**
 * What a key may be allowed. None implies another: a key that manages and asks models has both.
 *
 * - `inference`: asking models, and seeing which there are. It loads and unloads them only as a request's keep-alive does.
 * - `read`: seeing what runs, who waits, decisions, metrics, and what runner processes print.
 * - `manage`: the commands: load, unload, pin, stop, drain.
 */
export const scopes = ['inference', 'read', 'manage'] as const;

export type Scope = (typeof scopes)[number];

/** What a route asks of a key: one of these scopes; null where none is asked for. */
export type Needs = readonly Scope[] | null;

/** Any key will do. */
export const anyKey: Needs = scopes;
