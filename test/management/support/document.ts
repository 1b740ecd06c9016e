import { z } from 'zod';
import type { JsonSchema, OpenApiDocument, OperationObject } from '../../../src/management/openapi.ts';

export interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

export const operationsOf = ({ paths }: OpenApiDocument): Described[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );

/** A schema with what it refers to put in its place. */
export function resolved(schema: JsonSchema, document: OpenApiDocument): JsonSchema {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    if ('$ref' in value) return walk(targetOf(String(value.$ref), document));
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, walk(one)]));
  };
  return walk(schema) as JsonSchema;
}

export function targetOf(ref: string, document: OpenApiDocument): unknown {
  if (!ref.startsWith('#/')) return undefined;
  return ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
}

/** What is wrong with an answer, judged by the document alone; empty when nothing is. */
export function faultsOf(
  document: OpenApiDocument,
  { operation }: Described,
  answer: { status: number; headers: Readonly<Record<string, unknown>>; body: unknown },
): string[] {
  const response = operation.responses[answer.status] ?? operation.responses['default'];
  if (!response) return [`${operation.operationId}: ${answer.status} is not described`];
  const type = String(answer.headers['content-type']).replace(/;.*/, '');
  const content = response.content[type];
  if (!content) return [`${operation.operationId} ${answer.status}: ${type} is not described`];
  const result = z.fromJSONSchema(resolved(content.schema, document) as never).safeParse(answer.body);
  return result.success
    ? []
    : [`${operation.operationId} ${answer.status}: ${z.prettifyError(result.error)}`];
}

/** What is wrong with the document itself, as OpenAPI 3.1 has it. */
export function structuralFaultsOf(document: OpenApiDocument): string[] {
  const faults: string[] = [];
  const check = (isSo: boolean, fault: string): void => void (isSo || faults.push(fault));
  check(/^3\.1\.\d+$/.test(document.openapi), 'openapi is not 3.1');
  check(Boolean(document.info.title && document.info.version), 'info lacks title or version');
  const ids = new Set<string>();
  for (const { method, path, operation } of operationsOf(document)) {
    const { operationId, parameters, responses, requestBody, summary, tags } = operation;
    check(path.startsWith('/'), `${path} does not start with a slash`);
    check(/^(GET|POST)$/.test(method), `${path} has ${method}`);
    check(!ids.has(operationId), `${operationId} is used twice`);
    check(/^[a-z]\w+$/i.test(operationId), `${operationId} is no name`);
    check(summary !== '' && tags.length > 0, `${operationId} lacks a summary or a tag`);
    ids.add(operationId);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
    check(inPath.join() === declared.join(), `${operationId}: ${path} and its parameters differ`);
    check(
      parameters.every((one) => one.in !== 'path' || one.required),
      `${operationId}: a path parameter is not required`,
    );
    check(
      new Set(parameters.map((one) => `${one.in} ${one.name}`)).size === parameters.length,
      `${operationId}: a parameter is there twice`,
    );
    check(method === 'POST' || !requestBody, `${operationId}: GET with a body`);
    for (const [status, { description, content }] of Object.entries(responses)) {
      check(/^([1-5]\d\d|default)$/.test(status), `${operationId}: ${status} is no status`);
      check(description !== '' && Object.keys(content).length > 0, `${operationId} ${status} says nothing`);
    }
    check(
      Object.keys(responses).some((status) => status.startsWith('2')),
      `${operationId} never goes well`,
    );
  }
  for (const ref of refsIn(document)) check(targetOf(ref, document) !== undefined, `${ref} leads nowhere`);
  for (const name of Object.keys(document.components.schemas))
    check(refsIn(document).includes(`#/components/schemas/${name}`), `${name} is used nowhere`);
  return faults;
}

function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => (key === '$ref' ? [String(one)] : refsIn(one)));
}
