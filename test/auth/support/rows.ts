import { scopes, type Scope } from '../../../src/auth/scopes.ts';

/** What opens a route: scopes, of which one is enough; or nothing. */
export type Opens = readonly Scope[] | 'open';

/** `GET /path`, and what opens it. */
export type Row = readonly [route: string, opens: Opens];

export const inference: Opens = ['inference'];
export const read: Opens = ['read'];
export const manage: Opens = ['manage'];
const sees: Opens = ['inference', 'read'];

const ofLmStudio = ['chat/completions', 'completions', 'embeddings'].map((path): Row => [
  `POST /api/v0/${path}`,
  inference,
]);

/** As GET and as HEAD. */
const got = (path: string, opens: Opens): readonly Row[] => [
  [`GET ${path}`, opens],
  [`HEAD ${path}`, opens],
];

/** What clients of llama.cpp's router, of llama-swap and of LM Studio ask besides. */
const ofOthers: readonly Row[] = [
  ['POST /models/load', ['inference', 'manage']],
  ['POST /models/unload', manage],
  ['GET /unload', manage],
  ['POST /unload', manage],
  ['POST /api/models/unload', manage],
  ['POST /api/models/unload/none', manage],
  ...got('/running', sees),
  ...got('/models/sse', sees),
  ...got('/logs', read),
  ...got('/logs/stream', read),
  ...got('/logs/stream/none', read),
  ...got('/api/events', read),
  ...got('/api/v0/models', sees),
  ...got('/api/v0/models/none', sees),
];

const asked = [
  'chat/completions',
  'chat/completions/input_tokens',
  'completions',
  'embeddings',
  'rerank',
  'reranking',
  'responses',
  'responses/input_tokens',
  'audio/transcriptions',
].flatMap((path): Row[] => [
  [`POST /v1/${path}`, inference],
  [`POST /${path}`, inference],
]);

/** Written down here once more, on purpose: what a key opens does not change by accident. */
export const rows: readonly Row[] = [
  ...asked,
  ...ofLmStudio,
  ...ofOthers,
  ['POST /v1/messages', inference],
  ['POST /v1/messages/count_tokens', inference],
  ...['completion', 'infill', 'embedding', 'tokenize', 'detokenize', 'apply-template'].map((path): Row => [
    `POST /${path}`,
    inference,
  ]),
  ...['GET', 'HEAD'].flatMap((method): Row[] => [
    [`${method} /props`, sees],
    [`${method} /slots`, read],
    [`${method} /lora-adapters`, sees],
    [`${method} /metrics`, read],
  ]),
  ...['/models', '/v1/models', '/v1/models/none'].flatMap((path): Row[] => [
    [`GET ${path}`, sees],
    [`HEAD ${path}`, sees],
  ]),
  ...['/', '/health', '/v1/health', '/wol-health', '/assets/none.js', '/inspect'].flatMap((path): Row[] => [
    [`GET ${path}`, 'open'],
    [`HEAD ${path}`, 'open'],
  ]),
  ...['chat', 'generate', 'embed', 'embeddings'].map((path): Row => [`POST /api/${path}`, inference]),
  ['GET /api/tags', sees],
  ['GET /api/ps', sees],
  ['POST /api/show', sees],
  ['POST /api/pull', sees],
  ['GET /api/version', sees],
  ['GET /api/status', sees],
  ['GET /api/decisions', read],
  ['HEAD /api/decisions', read],
  ...['push', 'create', 'copy', 'blobs', 'me', 'signout'].map((path): Row => [`POST /api/${path}`, scopes]),
  ['HEAD /api/blobs', scopes],
  ['DELETE /api/delete', scopes],
  ['POST /upstream/none/v1/chat/completions', inference],
  ['GET /upstream/none/slots', read],
  ['HEAD /upstream/none/', read],
  ...['POST', 'PUT', 'PATCH', 'DELETE'].map((method): Row => [`${method} /upstream/none/any`, manage]),
  // What there is not tells nothing to who has no key.
  ['GET /none', scopes],
  ['GET /api/none', scopes],
  ['DELETE /v1/chat/completions', scopes],
  ['OPTIONS /v1/chat/completions', scopes],
];

/** Beginnings of paths, and a route above that stands for each. */
export const prefixes = [
  '/api/v1/',
  '/api/models/unload/',
  '/logs/stream/',
  '/api/v0/models/',
  '/api/',
  '/v1/models/',
  '/assets/',
  '/upstream/',
];
