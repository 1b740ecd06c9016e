import { z } from 'zod';
import type { Operation } from './operation.ts';
import { managementNeeds } from './needs.ts';
import { components, problemSchema } from './schemas.ts';

/** A JSON Schema (2020-12), as far as anybody here looks into it. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly $ref?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: string | number | boolean;
  readonly [keyword: string]: unknown;
}

export interface ParameterObject {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export interface ContentObject {
  readonly [mediaType: string]: { readonly schema: JsonSchema };
}

export interface OperationObject {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  /** The key, with a scope that it has to have; where keys are configured. */
  readonly security: readonly { readonly key: readonly string[] }[];
  readonly parameters: readonly ParameterObject[];
  readonly requestBody?: { readonly required: boolean; readonly content: ContentObject };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content: ContentObject }>
  >;
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<'key', object>>;
  };
}

const SCHEMAS = '#/components/schemas/';

/** Says what went wrong, at any operation: of the rest each names its own. */
const everywhere: Readonly<Record<number, string>> = {
  400: 'A part of the request is wrong; `errors` says which.',
  401: 'Keys are configured here, and none that is known was sent.',
  403: 'The key lacks the scope, or the request comes from a page or for a host name that is not ours.',
  404: 'There is nothing of this name; `nearMisses` may have it.',
  409: 'It cannot be done in the present state.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  429: 'The key has asked too much within a minute; `Retry-After` has the seconds to wait.',
};

/** The OpenAPI 3.1 document of these operations. */
export function openApiOf(
  operations: readonly Operation[],
  prefix: string,
  version: string,
): OpenApiDocument {
  const paths: Record<string, Record<string, OperationObject>> = {};
  for (const operation of operations)
    (paths[`${prefix}${operation.path}`] ??= {})[operation.method.toLowerCase()] = objectOf(operation);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Corral: management',
      version,
      description:
        'What runs, what waits and why; and the commands. Memory is in bytes, time in milliseconds unless a name says otherwise. Errors are problem details with a stable `code`.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: namedSchemas(),
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'Asked for where keys are configured; roles are the scopes of a key.',
        },
      },
    },
  };
}

function objectOf(operation: Operation): OperationObject {
  const { method, path, id, tag, summary, params, query, body, answer, type, statuses } = operation;
  const good = Object.entries(statuses).map(([status, description]) => [
    status,
    { description, content: { [type]: { schema: schemaOf(answer) } } },
  ]);
  const bad = [...problemsOf(operation), 'default'].map((status) => [
    status,
    {
      description: everywhere[Number(status)] ?? 'It failed; `code` says how.',
      content: { 'application/problem+json': { schema: schemaOf(problemSchema) } },
    },
  ]);
  return {
    operationId: id,
    tags: [tag],
    summary,
    security: [{ key: managementNeeds(method, `/api/v1${path}`) ?? [] }],
    parameters: [...parametersOf('path', params), ...parametersOf('query', query)],
    ...(method === 'POST' && {
      requestBody: {
        required: !body.safeParse({}).success,
        content: { 'application/json': { schema: plain(z.toJSONSchema(body, { io: 'input' })) } },
      },
    }),
    responses: Object.fromEntries([...good, ...bad]),
  };
}

const problemsOf = ({ method, problems }: Operation): readonly number[] =>
  [...new Set([400, 401, 403, 429, ...(method === 'POST' ? [413, 415] : []), ...problems])].toSorted(
    (a, b) => a - b,
  );

const parametersOf = (where: 'path' | 'query', { shape }: z.ZodObject): ParameterObject[] =>
  Object.entries(shape).map(([name, schema]) => {
    const { description, ...rest } = plain(z.toJSONSchema(schema as z.ZodType));
    return {
      name,
      in: where,
      required: where === 'path',
      ...(description !== undefined && { description }),
      schema: rest,
    };
  });

/** A named schema by reference, any other as it is. */
function schemaOf(schema: z.ZodType): JsonSchema {
  const named = components.get(schema);
  return named ? { $ref: `${SCHEMAS}${named.id}` } : plain(z.toJSONSchema(schema));
}

function namedSchemas(): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(components, { uri: (id) => `${SCHEMAS}${id}` });
  return Object.fromEntries(
    Object.entries(schemas)
      .map(([name, schema]) => [name, plain(schema)] as const)
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
}

/** Without what a schema of its own would have to say, and a part of a document has not. */
const plain = ({ $schema: _schema, $id: _id, ...schema }: z.core.JSONSchema.BaseSchema): JsonSchema =>
  schema as JsonSchema;
