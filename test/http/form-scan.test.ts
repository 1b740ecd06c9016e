import { expect } from 'chai';
import fc from 'fast-check';
import { FormScan } from '../../src/http/form-scan.ts';
import type { ScanResult } from '../../src/http/model-scan.ts';

const TYPE = 'multipart/form-data; boundary=xYz';

/** Scans a form that arrives in pieces, cut at the given places. */
const scan = (form: Buffer | string, cuts: readonly number[] = [], type: string = TYPE): ScanResult => {
  const bytes = Buffer.from(form);
  const reader = new FormScan(type);
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  for (const [i, from] of places.entries()) reader.push(bytes.subarray(from, places[i + 1] ?? bytes.length));
  return reader.result();
};
const part = (headers: string, content: string): string => `--xYz\r\n${headers}\r\n\r\n${content}\r\n`;
const named = (name: string, content: string): string =>
  part(`Content-Disposition: form-data; name="${name}"`, content);

describe('the scan of a form', () => {
  it('finds model and stream, wherever they stand and however the bytes arrive', () => {
    const content = fc.string({ maxLength: 60, unit: 'binary' }).filter((text) => !text.includes('--xYz'));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('file', 'model', 'stream', 'language'), content), { maxLength: 6 }),
        fc.array(fc.nat(400), { maxLength: 8 }),
        (parts, cuts) => {
          const form = Buffer.from(`${parts.map(([name, text]) => named(name, text)).join('')}--xYz--\r\n`);
          const last = (wanted: string): string | undefined =>
            parts.findLast(([name]) => name === wanted)?.[1];

          expect(
            scan(
              form,
              cuts.map((cut) => Math.min(cut, form.length)),
            ),
          ).to.deep.equal({
            kind: 'object',
            model: last('model') === undefined ? undefined : Buffer.from(last('model') ?? '').toString(),
            stream: last('stream') === 'true',
          });
        },
      ),
    );
  });

  it('takes the headers of parts and the boundary as clients write them', () => {
    const form =
      part(
        'content-type: text/plain\r\ncontent-disposition: form-data; filename="name=no"; name=model',
        'a',
      ) + '--xYz--';

    expect(scan(form, [], 'Multipart/Form-Data; charset=utf-8; boundary="xYz"')).to.include({ model: 'a' });
  });

  it('is not led astray by a delimiter that only begins', () => {
    const form = named('file', 'a\r\n--xY\r\n--x') + named('model', 'm\r\n--xYm') + '--xYz--';

    for (let cut = 0; cut < form.length; cut += 1)
      expect(scan(form, [cut])).to.include({ model: 'm\r\n--xYm' });
  });

  it('says null of a model of unreasonable length', () => {
    expect(scan(`${named('model', 'm'.repeat(5_000))}--xYz--`)).to.include({ model: null });
  });

  it('holds no more than it needs of what it passes over', () => {
    const reader = new FormScan(TYPE);
    reader.push(Buffer.from('--xYz\r\nContent-Disposition: form-data; name=file\r\n\r\n'));
    const chunk = Buffer.alloc(1024 ** 2, '\r\n--x');

    for (let i = 0; i < 64; i += 1) reader.push(chunk);
    reader.push(Buffer.from(`\r\n${named('model', 'm')}--xYz--`));

    expect(reader.result()).to.include({ model: 'm' });
  });

  it('refuses what is no form', () => {
    const reasonOf = (result: ScanResult): string => (result.kind === 'invalid' ? result.reason : '');

    expect(reasonOf(scan('{}', [], 'application/json'))).to.match(/is not multipart\/form-data/);
    expect(reasonOf(scan(named('model', 'm')))).to.equal('it ends too early');
    expect(reasonOf(scan(''))).to.equal('it ends too early');
    expect(reasonOf(scan(part(`x: ${'y'.repeat(9_000)}`, 'z')))).to.match(/more than 8192 bytes of headers/);
  });
});
