import { expect } from 'chai';
import { expandMacros } from '../../src/import/expand-macros.ts';
import { splitCommand } from '../../src/import/split-command.ts';

describe('a command line without a shell', () => {
  for (const { title, command, words } of [
    { title: 'is split at spaces and newlines', command: ' a  b\n\tc\r\nd ', words: ['a', 'b', 'c', 'd'] },
    { title: 'goes on after a backslash', command: 'a \\\n  -b 1 \\\r\n  -c', words: ['a', '-b', '1', '-c'] },
    {
      title: 'keeps what is quoted together',
      command: `a "b c" 'd e' f"g h"i`,
      words: ['a', 'b c', 'd e', 'fg hi'],
    },
    { title: 'has empty words', command: `a "" ''`, words: ['a', '', ''] },
    { title: 'knows escaped quotes', command: String.raw`"a \"b\" \\" c\ d`, words: ['a "b" \\', 'c d'] },
    {
      title: 'takes single quotes literally',
      command: String.raw`'a\"b' '{"x":"y z"}'`,
      words: [String.raw`a\"b`, '{"x":"y z"}'],
    },
    {
      title: 'leaves the paths of Windows alone',
      command: String.raw`C:\llama\server.exe "D:\my models\x.gguf"`,
      words: [String.raw`C:\llama\server.exe`, String.raw`D:\my models\x.gguf`],
    },
    {
      title: 'has comments on lines of their own',
      command: '# first\na\n  # second\nb#c',
      words: ['a', 'b#c'],
    },
    {
      title: 'expands nothing',
      command: 'a $HOME `b` *.gguf ; c && d',
      words: ['a', '$HOME', '`b`', '*.gguf', ';', 'c', '&&', 'd'],
    },
    { title: 'may be empty', command: ' \n # x', words: [] },
  ])
    it(title, () => expect(splitCommand(command)).to.deep.equal(words));

  it('that leaves a quote open is refused', () => {
    expect(() => splitCommand('a "b')).to.throw('a " is never closed');
  });
});

describe('macros', () => {
  const expand = (text: string, macros: Record<string, string>, env = {}): string =>
    expandMacros(text, new Map(Object.entries(macros)), env).text;

  it('are filled in, and may use each other', () => {
    expect(
      expand('${run} -c ${ctx}', { run: '${bin} --port ${PORT}', bin: 'x', PORT: '1', ctx: '2' }),
    ).to.equal('x --port 1 -c 2');
  });

  it('may be variables of the environment, which are named', () => {
    expect(expandMacros('${env.MODELS}/a ${env.MODELS}/b', new Map(), { MODELS: '/m' })).to.deep.equal({
      text: '/m/a /m/b',
      environment: ['MODELS'],
    });
  });

  it('that do not exist are named', () =>
    expect(() => expand('${gone}', {})).to.throw('${gone} is not defined'));

  it('that use themselves are refused', () => {
    expect(() => expand('${a}', { a: '${b}', b: '${a}' })).to.throw(/without end/);
  });

  it('that grow without bound are refused', () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 19 }, (_, level) => [`m${level}`, `\${m${level + 1}}`.repeat(8)]),
    );

    expect(() => expand('${m0}', { ...doubling, m19: 'x' })).to.throw(/without end/);
  });
});
