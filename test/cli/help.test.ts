import type { Command } from 'commander';
import { expect } from 'chai';
import { createProgram } from '../../src/cli/program.ts';

/** All that a command says when it is asked for help. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

describe('help', () => {
  let program: Command;
  beforeEach(async () => (program = await createProgram([])));

  it('of each command says what it does, with examples that begin with corral', () => {
    const visible = leaves(program).filter((command) => command.name() !== 'complete');

    expect(visible.length).to.be.greaterThan(18);
    for (const command of visible) {
      expect(command.description(), command.name()).to.match(/^\w.{15,}/);
      for (const argument of command.registeredArguments)
        expect(argument.description, `${command.name()} <${argument.name()}>`).to.not.equal('');
      for (const option of command.options)
        expect(option.description, `${command.name()} ${option.long}`).to.not.equal('');
      const examples = helpOf(command).split('Examples:\n')[1] ?? '';
      expect(examples, command.name()).to.match(new RegExp(`corral .*${command.name()}`));
    }
  });

  it('has the environment, the files and the exit codes, once', () => {
    for (const command of [program, ...program.commands.filter((one) => one.name() !== 'complete')]) {
      const help = helpOf(command);
      for (const part of ['Environment:', 'Files:', 'Exit codes:'])
        expect(help.split(part).length - 1, `${command.name()} ${part}`).to.equal(1);
    }
  });

  it('names every command, with what it does', () => {
    const help = helpOf(program);

    for (const command of program.commands.filter((one) => one.name() !== 'complete'))
      expect(help).to.contain(`  ${command.name()} `);
  });
});
