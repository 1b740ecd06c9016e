import { expect } from 'chai';
import fc from 'fast-check';
import { ModelScan, type ScanResult } from '../../src/http/model-scan.ts';

const scan = (text: string, chunkBytes = Infinity): ScanResult => {
  const bytes = Buffer.from(text);
  const reader = new ModelScan();
  const step = Math.max(1, Math.min(chunkBytes, bytes.length));
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
  return reader.result();
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What `JSON.parse` says of the same text. */
const parsed = (text: string): ScanResult => {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return { kind: 'invalid', reason: '' };
    const { model } = value;
    const found = Object.hasOwn(value, 'model') ? (typeof model === 'string' ? model : null) : undefined;
    const keepAlive = [value['keep_alive'], value['ttl']].find((one) =>
      ['string', 'number'].includes(typeof one),
    );
    return {
      kind: 'object',
      model: found,
      stream: value['stream'] === true,
      ...(keepAlive !== undefined && { keepAlive: keepAlive as string | number }),
      ...(typeof value['previous_response_id'] === 'string' && { continues: true }),
    };
  } catch {
    return { kind: 'invalid', reason: '' };
  }
};

/** Objects that hold the members often, at the top and below. */
const bodies = fc
  .dictionary(
    fc.oneof(
      fc.constantFrom(
        'model',
        'stream',
        'keep_alive',
        'ttl',
        'previous_response_id',
        'messages',
        'mode',
        'models',
      ),
      fc.string({ unit: 'binary' }),
    ),
    fc.oneof(
      fc.jsonValue(),
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.constant({ model: 'inner', stream: true }),
    ),
  )
  .map((value) => JSON.stringify(value));

/** The same text with some letters of strings written as escapes, and white space between the parts. */
const disguised = bodies.map((text) =>
  text.replaceAll('"model":', ' "m\\u006fdel"\r\n:\t').replaceAll('"stream":', '"\\u0073tream" : '),
);

describe('model scan', () => {
  it('agrees with JSON.parse on any object, split anywhere', () => {
    fc.assert(
      fc.property(fc.oneof(bodies, disguised), fc.integer({ min: 1, max: 40 }), (text, chunkBytes) => {
        expect(scan(text, chunkBytes)).to.deep.equal(parsed(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('steps over a byte order mark at the very beginning, split anywhere, and over nothing like it elsewhere', () => {
    const found: ScanResult = { kind: 'object', model: 'tiny', stream: true };
    const mark = Buffer.from('\uFEFF');
    const body = '{"model":"tiny","stream":true}';
    for (const chunkBytes of [1, 2, 3, 4, 100])
      expect(scan(`\uFEFF${body}`, chunkBytes)).to.deep.equal(found);

    for (const before of [mark.subarray(0, 1), mark.subarray(0, 2), Buffer.concat([mark, mark])]) {
      const reader = new ModelScan();
      reader.push(Buffer.concat([before, Buffer.from(body)]));
      expect(reader.result().kind, before.toString('hex')).to.equal('invalid');
    }
    expect(scan(`{\uFEFF"model":"tiny"}`).kind).to.equal('invalid');
  });

  it('never differs on a damaged object that JSON.parse still accepts', () => {
    const damage = fc.record({
      at: fc.nat(),
      cut: fc.integer({ min: 0, max: 2 }),
      put: fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', 'e', 't', ' '),
    });
    fc.assert(
      fc.property(bodies, damage, fc.integer({ min: 1, max: 40 }), (text, { at, cut, put }, chunkBytes) => {
        const start = at % text.length;
        // As bytes would be: half a surrogate pair cannot arrive.
        const damaged = Buffer.from(text.slice(0, start) + put + text.slice(start + cut)).toString();
        const expected = parsed(damaged);
        if (expected.kind === 'object') expect(scan(damaged, chunkBytes)).to.deep.equal(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes the last of duplicate keys', () => {
    expect(scan('{"model":"a","stream":true,"model":"b","stream":false}')).to.deep.equal({
      kind: 'object',
      model: 'b',
      stream: false,
    });
    expect(scan('{"model":"a","model":7}')).to.include({ model: null });
  });

  it('does not take a member of an inner object or array for its own', () => {
    expect(scan('{"a":{"model":"x","stream":true},"b":[{"model":"y"}]}')).to.deep.equal({
      kind: 'object',
      model: undefined,
      stream: false,
    });
  });

  it('says null of a model that is no string, is malformed or is far too long', () => {
    for (const value of ['1', 'null', '{}', '[]', 'true', '"\\x"', JSON.stringify('x'.repeat(2_000))]) {
      expect(scan(`{"model":${value}}`), value.slice(0, 10)).to.include({ kind: 'object', model: null });
    }
  });

  for (const text of ['', ' ', '[]', '"model"', 'null', '7', 'x']) {
    it(`refuses ${JSON.stringify(text)}, which is no object`, () => {
      expect(scan(text).kind).to.equal('invalid');
    });
  }

  for (const text of [
    '{',
    '{"model":"a"',
    '{"model":"a"}}',
    '{"model":"a"} x',
    '{"model":"a",}',
    '{"model" "a"}',
    '{"model":}',
    '{model:"a"}',
    '{"a":[1,]}',
    '{"a":[1}',
    '{"a":{]}',
    '{"a":tru}',
    '{"a":01}',
    '{"a":1.}',
    '{"a":-}',
    '{"a":"\\"}',
    "{'model':'a'}",
  ]) {
    it(`refuses ${text}`, () => {
      expect(scan(text, 1).kind).to.equal('invalid');
      expect(() => void JSON.parse(text)).to.throw();
    });
  }

  it('refuses nesting that no request needs', () => {
    expect(scan(`{"a":${'['.repeat(5_000)}`)).to.deep.equal({
      kind: 'invalid',
      reason: 'it is nested deeper than 1024 levels',
    });
  });

  it('says where a body goes wrong', () => {
    expect(scan('{"model":"tiny" "stream":true}', 4)).to.deep.equal({
      kind: 'invalid',
      reason: 'unexpected character at byte 16, where , or end is expected',
    });
  });
});
