import { z } from 'zod';
import { docsPage } from '../docs-page.ts';
import { openApiOf } from '../openapi.ts';
import { ok, operation, type Operation } from '../operation.ts';

/** The document that describes the operations, these two included, and the same for people. */
export function documentationOperations(
  described: readonly Operation[],
  prefix: string,
  version: string,
): readonly Operation[] {
  const own = [
    operation({
      method: 'GET',
      path: '/openapi.json',
      id: 'getOpenApi',
      tag: 'Documentation',
      summary: 'This document',
      answer: z.record(z.string(), z.unknown()),
      statuses: { 200: 'OpenAPI 3.1.' },
      handle: () => ok({ ...document }),
    }),
    operation({
      method: 'GET',
      path: '/docs',
      id: 'getDocs',
      tag: 'Documentation',
      summary: 'This document as a page to read',
      answer: z.string(),
      type: 'text/html',
      statuses: { 200: 'HTML, with nothing from elsewhere.' },
      handle: () => ok(page),
    }),
  ];
  const document = openApiOf([...described, ...own], prefix, version);
  const page = docsPage(document);
  return own;
}
