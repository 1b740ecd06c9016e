import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonSchema, OpenApiDocument } from '../../src/management/openapi.ts';
import { aModel } from '../support/pool.ts';
import { faultsOf, operationsOf, type Described } from './support/document.ts';
import { Managed } from './support/managed.ts';

interface BadRequest {
  readonly described: Described;
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly headers: Record<string, string>;
}

/** A value that a schema does not allow. */
const wrongFor = ({ type, enum: values, minimum, maximum }: JsonSchema): fc.Arbitrary<unknown> => {
  const types = [type ?? []].flat();
  const others: [string, fc.Arbitrary<unknown>][] = [
    ['string', fc.string()],
    ['number', fc.double({ noNaN: true, noDefaultInfinity: true })],
    ['boolean', fc.boolean()],
    ['null', fc.constant(null)],
    ['array', fc.array(fc.jsonValue(), { maxLength: 3 })],
    ['object', fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 })],
  ];
  const allowed = (name: string): boolean =>
    types.includes(name) || (name === 'number' && types.includes('integer'));
  const wrong = others.filter(([name]) => !allowed(name)).map(([, arbitrary]) => arbitrary);
  if (values) wrong.push(fc.string().filter((text) => !values.includes(text)));
  if (minimum !== undefined)
    wrong.push(fc.double({ max: minimum - 1, noDefaultInfinity: true, noNaN: true }));
  if (maximum !== undefined)
    wrong.push(fc.double({ min: maximum * 2, max: 1e300, noDefaultInfinity: true, noNaN: true }));
  return fc.oneof(...wrong);
};

/** Text in a query that a parameter does not allow. */
const wrongText = (schema: JsonSchema): fc.Arbitrary<string> => {
  const isFree = schema.type === 'string' && !schema.enum;
  // Free text cannot be wrong, only be there twice.
  if (isFree) return fc.constant('x&SAME=y');
  return fc.oneof(
    fc.constantFrom('', '-1', '1.5', '1e3', 'NaN', 'null', '[]', ' 5', '0x10', '9'.repeat(20), 'TRUE', 'yes'),
    fc
      .string()
      .filter(
        (text) => text !== 'true' && text !== 'false' && !/^\d+$/.test(text) && !schema.enum?.includes(text),
      ),
  );
};

const bodySchemaOf = ({ operation }: Described): JsonSchema | undefined =>
  operation.requestBody?.content['application/json']?.schema;

/** A path with names that are there or not, and a way to spoil it. */
const fill = ({ path }: Described, name: string): string =>
  path.replaceAll(/\{\w+\}/g, encodeURIComponent(name));

const json = { 'content-type': 'application/json' };

/** Requests that are each wrong in at least one way, made from what the document says of an operation. */
function badRequestsOf(described: Described): fc.Arbitrary<BadRequest> {
  const { method, path, operation } = described;
  const isPost = method === 'POST';
  const known = fc.constantFrom('a', 'b', 'a-alias', 'runner-1');
  const anyName = fc.oneof(
    known,
    fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }).filter(isEncodable),
  );
  const base = { described, method, body: isPost ? '{}' : undefined, headers: isPost ? json : {} };
  const kinds: fc.Arbitrary<BadRequest>[] = [
    fc
      .tuple(anyName, fc.constantFrom('PUT', 'PATCH', 'DELETE', isPost ? 'GET' : 'POST'))
      .map(([name, other]) => ({
        ...base,
        method: other,
        path: fill(described, name),
        body: undefined,
        headers: {},
      })),
    fc
      .tuple(anyName, fc.string({ minLength: 1 }).filter(isEncodable))
      .filter(([, key]) => operation.parameters.every((one) => one.name !== key))
      .map(([name, key]) => ({ ...base, path: `${fill(described, name)}?${encodeURIComponent(key)}=1` })),
    ...operation.parameters
      .filter((one) => one.in === 'query')
      .map((parameter) =>
        fc.tuple(known, wrongText(parameter.schema)).map(([name, text]) => {
          const value = text.includes('SAME')
            ? text.replace('SAME', parameter.name)
            : encodeURIComponent(text);
          return { ...base, path: `${fill(described, name)}?${parameter.name}=${value}` };
        }),
      ),
  ];
  if (path.includes('{'))
    kinds.push(
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: 300 })
        .filter((name) => isEncodable(name) && !/^(a|b|(a|b)-alias|runner-1)(:latest)?$/i.test(name))
        .map((name) => ({ ...base, path: fill(described, `${name}!`) })),
      fc.constantFrom('%', '%zz', '%E0%A4', '%C0%80').map((name) => ({
        ...base,
        path: path.replaceAll(/\{\w+\}/g, name),
      })),
      fc.nat(5_000).map((length) => ({ ...base, path: fill(described, 'x'.repeat(2 + length)) })),
    );
  const schema = bodySchemaOf(described);
  if (schema) {
    const withBody = (body: fc.Arbitrary<string>, headers: Record<string, string> = json): void =>
      void kinds.push(
        fc
          .tuple(known, body)
          .map(([name, text]) => ({ ...base, path: fill(described, name), body: text, headers })),
      );
    for (const [name, one] of Object.entries(schema.properties ?? {})) {
      const wrong =
        name === 'keepAlive' ? fc.constantFrom('soon', '5 parsecs', true, null, {}, []) : wrongFor(one);
      withBody(wrong.map((value) => JSON.stringify({ pinned: true, [name]: value })));
    }
    withBody(
      fc
        .tuple(
          fc.string().filter((key) => !(key in (schema.properties ?? {}))),
          fc.jsonValue(),
        )
        .map(([key, value]) => `{${JSON.stringify(key)}:${JSON.stringify(value)}}`),
    );
    withBody(
      fc
        .jsonValue()
        .filter((value) => typeof value !== 'object' || Array.isArray(value))
        .map((value) => JSON.stringify(value)),
    );
    withBody(
      fc.constantFrom(
        '{',
        '{"force":}',
        'null',
        '\u0000',
        '{"__proto__":{"force":true}}',
        '{"constructor":{"prototype":{}}}',
        '[]',
      ),
    );
    withBody(fc.integer({ min: 70_000, max: 200_000 }).map((length) => `{"force":"${'x'.repeat(length)}"}`));
    kinds.push(
      fc
        .tuple(
          known,
          fc.constantFrom(
            'text/plain',
            'application/x-www-form-urlencoded',
            'multipart/form-data; boundary=x',
            'application/xml',
            'json',
            'a/b/c',
          ),
        )
        .map(([name, type]) => ({
          ...base,
          path: fill(described, name),
          body: 'force=true',
          headers: { 'content-type': type },
        })),
    );
  }
  return fc.oneof(...kinds);
}

/** Half of a surrogate pair has no UTF-8. */
const isEncodable = (text: string): boolean => !/\p{Surrogate}/u.test(text);

describe('the management API, asked for what it cannot do', function () {
  this.timeout(120_000);

  it('says what is wrong, in 5,000 ways, and nothing changes', async () => {
    const managed = await Managed.of([aModel('a', 8), aModel('b', 8)]);
    managed.pool.request(aModel('a', 8));
    managed.pool.advance(5_000);
    managed.logs.append('runner-1', 'a line\n');
    const document = (await managed.get('/openapi.json')).body as OpenApiDocument;
    const before = JSON.stringify((await managed.get('/status')).body);
    const statuses = new Map<number, number>();

    await fc.assert(
      fc.asyncProperty(
        fc.oneof(...operationsOf(document).map(badRequestsOf)),
        async ({ described, method, path, body, headers }) => {
          const answer = await managed.send(method, path, body, headers);
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          expect(answer.status).to.be.within(400, 499);
          expect(faultsOf(document, described, answer)).to.deep.equal([]);
          expect(answer.body.status).to.equal(answer.status);
          expect(answer.body.code).to.match(/^[a-z_]+$/);
          if (answer.body.code === 'invalid_request')
            expect(answer.body.errors[0].path).to.match(/^(path|query|body)/);
          if (answer.status === 405) expect(answer.headers['allow']).to.match(/GET|POST/);
        },
      ),
      { numRuns: 5_000 },
    );

    expect([...statuses.keys()]).to.include.members([400, 404, 405, 413, 415]);
    expect(JSON.stringify((await managed.get('/status')).body)).to.equal(before);
  });
});
