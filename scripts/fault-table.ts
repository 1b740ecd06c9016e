import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Mocha from 'mocha';

const BEGIN = '<!-- faults: written by `npm run docs:faults` -->';
const END = '<!-- end of faults -->';
const FOLDER = 'test/faults';
/** What a machine has to try a promise on, `[llama-server]`, is not part of the promise. */
const VARIANT = / \[[^\]]*\]$/;
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** One thing that is done to Corral, and one thing that holds all the same. */
export interface Promised {
  readonly fault: string;
  readonly promise: string;
  /** The test that shows it, from the project's root. */
  readonly file: string;
}

/** What the tests in `test/faults` say of themselves; none of them is run. */
export async function promisesOfTests(): Promise<readonly Promised[]> {
  const promises: Promised[] = [];
  const names = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith('.test.ts'));
  for (const name of names.toSorted()) {
    const file = `${FOLDER}/${name}`;
    const mocha = new Mocha();
    mocha.addFile(join(ROOT, file));
    await mocha.loadFilesAsync();
    mocha.suite.eachTest((test: Mocha.Test) => {
      const [fault = '', ...rest] = test.titlePath();
      const promise = rest.join(': ').replace(VARIANT, '');
      if (!promises.some((one) => one.fault === fault && one.promise === promise && one.file === file))
        promises.push({ fault, promise, file });
    });
  }
  return promises;
}

/** A page with its table of faults as these promises have it. Throws when it has no place for one. */
export function withFaultTable(page: string, promises: readonly Promised[]): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the page needs ${BEGIN} and ${END}`);
  const rows = [['Fault', 'What is promised', 'Test'], ['---', '---', '---'], ...promises.map(row)];
  return `${before}${BEGIN}\n\n${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n\n${END}${after}`;
}

/** A fault is named once, above all that is promised of it. */
function row({ fault, promise, file }: Promised, index: number, all: readonly Promised[]): string[] {
  const before = all[index - 1];
  const name = file.slice(file.lastIndexOf('/') + 1);
  return [
    before?.fault === fault ? '' : escaped(fault),
    escaped(promise),
    before?.fault === fault && before.file === file ? '' : `[${name}](../${file})`,
  ];
}

const escaped = (text: string): string => text.replaceAll('|', '\\|');
