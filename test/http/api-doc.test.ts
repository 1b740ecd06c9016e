import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { apiRoutes } from '../../src/http/api-routes.ts';
import { otherPrefixes, otherRoutes } from '../../src/http/other-routes.ts';
import { ollamaRoutes } from '../../src/http/ollama/handler.ts';
import { mapOptions } from '../../src/http/ollama/options.ts';
import {
  chatRequest,
  embeddingsRequest,
  embedRequest,
  generateRequest,
} from '../../src/http/ollama/requests.ts';

const text = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');

/** What stands between a heading and the next one of its rank or above. */
function section(heading: string): string {
  const [, rank = '', rest = ''] = new RegExp(`^(#+) ${heading}$([^]*)`, 'm').exec(text) ?? [];
  return rest.split(new RegExp(`^#{1,${rank.length}} `, 'm'))[0] ?? '';
}

/** Each word in backticks, of the rows of a table that match. */
const codes = (of: string, row = /^\|/): string[] =>
  of
    .split('\n')
    .filter((line) => row.test(line))
    .flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));

describe('docs/api.md', () => {
  const paths = codes(section('Paths')).map((code) => code.replace(/^[A-Z]+ /, '').replace(/\?.*/, ''));

  it('has every path that runners answer', () => {
    expect(section('Paths')).to.contain('all of the above without `/v1`');
    for (const path of apiRoutes.keys()) {
      const known = paths.includes(path) || (!path.startsWith('/v1') && paths.includes(`/v1${path}`));
      expect(known, path).to.equal(true);
    }
  });

  it('has no path of runners that is not there', () => {
    const answeredHere = /^\/v1$|^\/(v1\/)?(models|(wol-)?health)|^\/$|^\/api|^\/upstream/;
    for (const path of paths.filter((one) => one.startsWith('/') && !answeredHere.test(one)))
      expect([...apiRoutes.keys(), ...Object.keys(otherRoutes)], path).to.include(path);
  });

  it('has every path that other servers are asked', () => {
    const told = section('What clients of other servers ask');
    for (const path of Object.keys(otherRoutes)) expect(told).to.contain(path);
    for (const prefix of Object.keys(otherPrefixes)) expect(told).to.contain(prefix);
  });

  it("has every path of Ollama's API", () => {
    const told = codes(section("Ollama's API")).join(' ');
    for (const route of Object.keys(ollamaRoutes)) expect(told).to.contain(route.split(' ')[1] ?? route);
  });

  it("has every field of Ollama's requests that is read", () => {
    const told = section("Ollama's API");
    for (const { shape } of [chatRequest, generateRequest, embedRequest, embeddingsRequest])
      for (const field of Object.keys(shape)) expect(told, field).to.match(new RegExp(`[\`.]${field}\\b`));
  });

  it('says of each option what becomes of it', () => {
    const told = section('`options`');
    const ignoredOf = (name: string): readonly string[] =>
      mapOptions({ [name]: name === 'stop' ? ['x'] : 1e6 }, { contextTokens: 512 }).ignored;
    const rows = told.split('\n').filter((line) => line.startsWith('| `'));

    for (const row of rows) {
      const [, names = '', fate = ''] = row.split('|');
      for (const [, name = ''] of names.matchAll(/`([^`]+)`/g))
        expect(ignoredOf(name).length > 0, name).to.equal(/ignored/.test(fate));
    }
    expect(rows.length).to.be.greaterThan(3);
  });
});
