import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { expect } from 'chai';

const IMPORT = /^\s*(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const WHAT_A_BROWSER_LACKS =
  /\b(?:process\.(?:env|cwd|argv|std\w+|platform)|Buffer|__dirname|setImmediate)\b/;

/** Every file that is loaded with this one, and the packages that they name. Imports of types are no imports. */
function loadedWith(entry: string): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(IMPORT))
      if (name.startsWith('.')) visit(resolve(dirname(file), name));
      else packages.add(name);
  };
  visit(resolve(entry));
  return { files: [...files], packages: [...packages] };
}

describe('what a browser loads', () => {
  for (const [entry, known] of [
    ['src/simulation/simulate.ts', ['fastest-levenshtein', 'xstate', 'yaml', 'zod']],
    ['src/client/client.ts', []],
  ] as const)
    it(`needs nothing of Node for ${entry}`, () => {
      const { files, packages } = loadedWith(entry);

      expect(packages.toSorted()).to.deep.equal(known);
      for (const file of files) expect(readFileSync(file, 'utf8'), file).to.not.match(WHAT_A_BROWSER_LACKS);
    });
});
