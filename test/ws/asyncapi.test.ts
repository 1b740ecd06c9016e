import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { VERSION } from '../../src/serve.ts';
import { asyncApiOf, type AsyncApiDocument } from '../../src/ws/asyncapi.ts';

describe('the AsyncAPI document', () => {
  const document: AsyncApiDocument = asyncApiOf(VERSION);
  const text = JSON.stringify(document);

  it('is what the schemas say', () => {
    const written = readFileSync(new URL('../../docs/asyncapi.json', import.meta.url), 'utf8');

    expect(
      JSON.parse(written),
      'docs/asyncapi.json is out of date: node --import tsx scripts/write-asyncapi.ts',
    ).to.deep.equal(JSON.parse(text));
  });

  it('refers only to what is there', () => {
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference);
    const missing = references.filter((reference) => {
      const steps = reference.replace(/^#\//, '').split('/');
      return (
        steps.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document) ===
        undefined
      );
    });

    expect(references.length).to.be.above(20);
    expect(missing).to.deep.equal([]);
  });

  it('has every message, with a description of its content', () => {
    const { messages, schemas } = document.components;

    expect(Object.keys(messages)).to.have.members(
      'hello snapshot change reply error pong subscribe unsubscribe command ping'.split(' '),
    );
    expect(JSON.stringify(schemas['Subscribe'])).to.include('terminal').and.include('after');
    expect(JSON.stringify(schemas['Command'])).to.include('model.pin').and.include('terminal.write');
    expect(JSON.stringify(schemas['Snapshot'])).to.include('#/components/schemas/RunnerRow');
  });
});
